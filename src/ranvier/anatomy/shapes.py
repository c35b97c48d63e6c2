"""Where muscles and nerves are drawn: one half of the body, mirrored for the other. Pixels; no meaning beyond the picture.

A muscle is a spindle between two points with a width. `front` is seen from the front (the half shown on the viewer's
left is the right side of the person), `back` from behind (there it is the left side). Hands and soles are enlarged.
"""

from __future__ import annotations

from collections.abc import Mapping

Spindle = tuple[float, float, float, float, float]
Line = tuple[tuple[float, float], ...]

WIDTH, HEIGHT = 390.0, 815.0  # one panel

FRONT: Mapping[str, Spindle] = {
    "scm": (187, 90, 180, 118, 9), "dia": (160, 262, 191, 246, 13), "pmc": (186, 132, 134, 144, 15),
    "pms": (186, 158, 130, 157, 27), "sa": (150, 188, 157, 240, 12), "del": (133, 122, 105, 190, 31),
    "cb": (136, 168, 122, 212, 10), "bb": (115, 180, 92, 274, 25), "bra": (96, 222, 78, 280, 13),
    "br": (70, 268, 32, 392, 16), "pt": (95, 288, 60, 336, 14), "fcr": (100, 296, 57, 400, 12),
    "pl": (108, 300, 68, 408, 7), "fcu": (117, 298, 80, 412, 12), "fds": (80, 326, 58, 400, 12),
    "fpl": (57, 348, 41, 408, 12), "pq": (36, 419, 74, 424, 13),
    "ip": (183, 366, 160, 424, 19), "tfl": (136, 388, 133, 452, 12), "sar": (148, 404, 180, 552, 9),
    "pec": (188, 418, 174, 446, 11), "add": (190, 440, 181, 536, 14), "qf": (148, 436, 156, 560, 31),
    "ta": (155, 594, 159, 704, 16), "edl": (141, 596, 148, 708, 11), "ehl": (150, 664, 166, 736, 9),
    "plb": (126, 594, 133, 716, 13), "pte": (140, 722, 126, 754, 9), "edb": (152, 752, 138, 782, 15),
}  # fmt: skip
BACK: Mapping[str, Spindle] = {
    "trap": (191, 100, 150, 122, 16), "rho": (188, 148, 176, 196, 12), "ssp": (176, 132, 140, 138, 11),
    "isp": (174, 152, 134, 158, 17), "tmi": (172, 171, 132, 174, 9), "tmj": (172, 185, 134, 187, 10),
    "sub": (171, 200, 140, 200, 10), "del": (133, 122, 105, 190, 31), "ld": (190, 296, 156, 212, 26),
    "tri": (116, 180, 97, 272, 29), "anc": (92, 280, 84, 304, 10), "ecrl": (70, 272, 40, 374, 13),
    "ecrb": (80, 296, 49, 386, 12), "sup": (60, 322, 34, 356, 11), "edc": (94, 306, 60, 400, 13),
    "edm": (106, 304, 70, 404, 9), "ecu": (118, 302, 80, 410, 12), "apl": (46, 380, 30, 424, 11),
    "epb": (56, 400, 40, 436, 10), "epl": (66, 408, 52, 446, 10), "eip": (76, 414, 66, 450, 10),
    "gmed": (160, 362, 136, 404, 23), "gmax": (190, 384, 142, 436, 34), "stm": (183, 450, 176, 560, 18),
    "bfl": (154, 450, 146, 560, 16), "bfs": (137, 490, 133, 566, 12), "pop": (146, 577, 178, 590, 11),
    "gc": (158, 590, 157, 678, 33), "sol": (155, 676, 156, 734, 23), "tp": (176, 614, 170, 722, 10),
    "fdl": (186, 640, 178, 726, 9), "fhl": (135, 640, 142, 730, 10),
}  # fmt: skip
PALM: Mapping[str, Spindle] = {  # within a box of 120 x 170, fingers down, thumb to the left
    "apb": (40, 20, 10, 52, 14), "op": (50, 26, 24, 60, 11), "fpbs": (56, 38, 34, 68, 10), "fpbd": (60, 52, 42, 72, 9),
    "ap": (72, 76, 28, 82, 12), "fdi": (22, 84, 28, 112, 13), "dio": (52, 90, 52, 116, 12), "pio": (72, 90, 72, 116, 11),
    "lum12": (40, 90, 40, 120, 10), "lum34": (84, 88, 84, 118, 10), "adm": (108, 38, 102, 92, 13),
    "fdm": (92, 34, 90, 82, 11), "fdp2": (28, 124, 28, 166, 13), "fdp3": (50, 126, 50, 174, 13),
    "fdp45": (82, 124, 82, 168, 15),
}  # fmt: skip
SOLE: Mapping[str, Spindle] = {  # within a box of 80 x 150, toes down, big toe to the right
    "ah": (58, 30, 64, 104, 15), "fdbr": (42, 34, 40, 104, 14), "adqp": (24, 34, 14, 100, 13), "iop": (16, 116, 56, 112, 12),
}  # fmt: skip
PALM_AT = (2.0, 520.0)
SOLE_AT = (18.0, 540.0)

NERVES: Mapping[str, Line] = {
    "accessory_neck": ((188, 78), (180, 94)), "accessory": ((180, 94), (152, 120)), "phrenic": ((185, 100), (182, 240)),
    "dorsal_scapular": ((181, 104), (174, 150)), "long_thoracic": ((177, 112), (160, 150), (150, 215)),
    "suprascapular_notch": ((177, 108), (152, 118)), "suprascapular_spinoglenoid": ((152, 118), (140, 130)),
    "lateral_pectoral": ((164, 122), (168, 146)), "medial_pectoral": ((158, 130), (170, 165)),
    "thoracodorsal": ((150, 142), (158, 190), (158, 230)), "subscapular": ((150, 140), (148, 172)),
    "axillary": ((142, 138), (120, 140), (108, 158)),
    "musculocutaneous_axilla": ((146, 140), (126, 188)), "musculocutaneous_arm": ((126, 188), (102, 262)),
    "radial_plexus": ((174, 110), (134, 140)), "radial_axilla": ((134, 140), (116, 176)),
    "radial_arm": ((116, 176), (86, 230), (72, 268)), "radial_elbow": ((72, 268), (66, 292)),
    "pin_supinator": ((66, 292), (62, 308)), "pin": ((62, 308), (58, 330)), "pin_recurrent": ((58, 330), (66, 362)),
    "pin_descending": ((58, 330), (40, 384)), "pin_descending_distal": ((40, 384), (36, 410)),
    "median_plexus": ((174, 116), (140, 152)), "median_arm": ((140, 152), (96, 278)), "median_elbow": ((96, 278), (84, 320)),
    "median_forearm": ((84, 320), (56, 412)), "median_wrist": ((56, 412), (50, 436)),
    "median_recurrent": ((50, 436), (34, 450)), "median_digital": ((50, 436), (44, 472)),
    "ain": ((84, 320), (66, 366)), "ain_distal": ((66, 366), (54, 398)),
    "ulnar_plexus": ((175, 122), (145, 160)), "ulnar_arm": ((145, 160), (116, 272)), "ulnar_elbow": ((116, 272), (112, 302)),
    "ulnar_forearm": ((112, 302), (76, 414)), "ulnar_wrist": ((76, 414), (70, 434)),
    "ulnar_deep": ((70, 434), (62, 456)), "ulnar_deep_distal": ((62, 456), (40, 464)),
    "psoas": ((186, 318), (176, 372)), "femoral_pelvis": ((184, 326), (160, 404)), "femoral_groin": ((160, 404), (156, 436)),
    "femoral_thigh": ((156, 436), (152, 530)), "obturator": ((188, 340), (186, 470)),
    "superior_gluteal": ((184, 362), (154, 368)), "superior_gluteal_distal": ((154, 368), (134, 396)),
    "inferior_gluteal": ((184, 374), (142, 420)), "sciatic": ((186, 380), (172, 450)),
    "tibial_division": ((172, 450), (170, 566)), "tibial_popliteal": ((170, 566), (168, 610)),
    "tibial_leg": ((168, 610), (166, 726)), "tibial_ankle": ((166, 726), (168, 756)),
    "medial_plantar": ((168, 756), (160, 790)), "lateral_plantar": ((168, 756), (146, 772)),
    "lateral_plantar_deep": ((146, 772), (142, 792)), "fibular_division": ((172, 450), (148, 566)),
    "fibular_knee": ((148, 566), (132, 590)), "deep_fibular": ((132, 590), (144, 618)),
    "deep_fibular_leg": ((144, 618), (148, 706)), "deep_fibular_ankle": ((148, 706), (140, 762)),
    "superficial_fibular": ((132, 590), (126, 700)),
}  # fmt: skip

# Outline of one half: head and trunk are drawn whole.
ARM = (
    "M150 112 Q118 112 106 138 Q84 200 70 262 Q40 320 24 404 Q14 440 16 470 Q24 492 50 488 Q72 480 80 440"
    " L92 412 Q118 350 124 290 Q132 230 146 186"
)
LEG = (
    "M132 352 Q118 420 128 500 Q132 550 128 580 Q112 640 130 726 L120 770 Q118 796 150 798 Q172 796 172 764"
    " L178 728 Q194 660 186 590 Q190 560 191 520 L194 430"
)
TRUNK = "M150 112 Q176 106 178 88 L212 88 Q214 106 240 112 Q252 150 246 186 Q236 250 238 300 Q246 330 258 352 L195 440 L132 352 Q144 330 152 300 Q154 250 144 186 Q138 150 150 112 Z"  # noqa: E501
HAND = "M36 6 Q0 24 0 60 L2 78 Q14 84 20 76 L18 120 L19 166 Q28 178 37 166 L39 128 L41 174 Q50 186 60 174 L62 128 L64 170 Q72 180 82 172 L84 128 L86 158 Q96 168 104 156 L106 112 Q122 70 112 36 L88 6 Z"  # noqa: E501
FOOT = "M28 6 Q14 30 12 70 Q2 96 8 122 Q20 138 40 132 Q74 140 76 112 Q68 70 64 36 Q58 2 28 6 Z"
