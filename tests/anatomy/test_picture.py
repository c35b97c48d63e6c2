"""The picture: valid XML, everything named for a screen reader, the same bytes each time."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

from tests.anatomy.build import ARM, LEG, anatomy, examined

from ranvier.anatomy import localise
from ranvier.anatomy.nouns import Examination
from ranvier.anatomy.picture import body, innervation_tree
from ranvier.anatomy.shapes import BACK, FRONT, NERVES, PALM, SOLE

NS = "{http://www.w3.org/2000/svg}"
SEEN = examined("right: FDI 2, EDC 4-, finger abduction 3\nleft: TA 3", full=f"{ARM} {LEG}")


def drawn() -> str:
    return body(SEEN, localise(SEEN, anatomy()), anatomy())


def test_every_muscle_and_site_has_its_place():
    assert set(FRONT) | set(BACK) | set(PALM) | set(SOLE) == set(anatomy().muscles)
    assert set(NERVES) == set(anatomy().sites)


def test_a_screen_reader_hears_what_the_eye_sees():
    root = ET.fromstring(drawn())
    assert root.attrib["role"] == "img"
    told = root.find(f"{NS}desc").text
    for words in ("first dorsal interosseous right 2", "ulnar nerve right", "Likeliest explanation"):
        assert words in told
    titles = [t.text for t in root.iter(f"{NS}title")]
    assert "first dorsal interosseous, right: MRC 2" in titles
    assert "abductor hallucis, left: not tested" in titles
    assert "dorsal interossei 2 to 4, right: MRC 3 (tested as a movement)" in titles


def test_grades_are_written_and_not_only_coloured():
    texts = [t.text for t in ET.fromstring(drawn()).iter(f"{NS}text")]
    assert "2" in texts
    assert "4−" in texts
    assert {"Right", "Left"} <= set(texts)


def test_the_same_input_gives_the_same_bytes():
    assert drawn() == drawn()


def test_dark_and_print_are_thought_of():
    assert "prefers-color-scheme: dark" in drawn()
    assert "@media print" in drawn()


def test_shades_of_grey_stay_in_order():
    """Printed in grey, a weaker muscle is darker."""
    light = re.search(r"svg\S* \{(.*?)\}", drawn(), re.S).group(1)
    shade = {g: int(v, 16) for g, v in re.findall(r"--(g\d):#([0-9a-f]{6})", light)}

    def grey(rgb: int) -> float:
        return 0.2126 * (rgb >> 16) + 0.7152 * (rgb >> 8 & 255) + 0.0722 * (rgb & 255)

    greys = [grey(shade[f"g{i}"]) for i in range(6)]
    assert all(b - a > 20 for a, b in pairwise(greys)), greys


def test_an_empty_examination_is_drawn():
    empty = Examination(())
    drawn = ET.fromstring(body(empty, localise(empty, anatomy()), anatomy()))
    assert drawn.find(f"{NS}title") is not None, "a picture without a title says nothing to a screen reader"


def test_the_map_as_a_tree_names_every_site_and_muscle():
    text = " ".join(t.text for t in ET.fromstring(innervation_tree(anatomy())).iter(f"{NS}text"))
    for site in anatomy().sites.values():
        assert site.name in text
    for muscle in anatomy().muscles:
        assert muscle.upper() in text
