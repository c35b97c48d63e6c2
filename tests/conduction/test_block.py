"""Conduction block: a wave that shrinks without spreading, away from where nerves are pinched."""

import pytest

from ranvier.conduction.nouns import Class
from ranvier.ground.truth import Truth

from .drawn import caveats, classes, criterion, found, nerve, segment


def test_a_man_of_41_drops_his_keys():
    """The median wave shrinks between wrist and elbow: area 24.0 to 9.6 is 60 % less, duration 5.0 to 5.5 is 10 % more."""
    study = found(
        nerve(
            "left median apb",
            """
            site  | latency | amplitude | area | duration | distance
            ------+---------+-----------+------+----------+---------
            wrist | 3.4     | 8.0       | 24.0 | 5.0      | 70
            elbow | 7.8     | 3.2       |  9.6 | 5.5      | 220
            """,
        )
    )
    forearm = segment(study, "left median, wrist to elbow")
    assert forearm.area_change == -0.6
    assert forearm.amplitude_change == -0.6
    assert forearm.duration_change == pytest.approx(0.1)
    assert forearm.velocity == pytest.approx(220 / 4.4)
    assert classes(forearm) == {
        "efns2010": "definite",
        "aaem1999": "definite",
        "utrecht": "definite",
        "amplitude30": "probable",
    }
    fall = criterion(forearm.verdicts["efns2010"], "definite.area_fall")
    assert (fall.truth, fall.value, fall.limit, fall.status) == (Truth.MET, 0.6, 0.5, "read")
    assert study.nerves_with_block("efns2010") == (("median", "left"),)


@pytest.mark.parametrize(
    ("area", "duration", "expected"),
    [
        (12.00, 6.5, "definite"),  # exactly half, exactly 30 % longer: both limits belong to the block
        (12.01, 6.5, "probable"),  # a hair less than half, still at least 30 % of a long arm segment
        (12.00, 6.51, "probable"),  # half, but it spreads by more than 30 %
        (16.80, 6.5, "probable"),  # exactly 30 %
        (16.81, 6.5, "none"),
        (16.80, 6.51, "none"),  # 30 % with too much spread is dispersion
        (24.00, 5.0, "none"),
    ],
)
def test_the_edges_of_efns_2010(area, duration, expected):
    study = found(
        nerve("right median apb", f"site|amplitude|area|duration\nwrist|8|24.0|5.0\nelbow|5|{area}|{duration}")
    )
    assert classes(segment(study, "right median, wrist to elbow"))["efns2010"] == expected


@pytest.mark.parametrize(
    ("amplitude", "area", "duration", "expected"),
    [
        (4.9, 5.9, 6.5, "definite"),  # 51 %, 41 %, 30 % longer
        (5.0, 5.9, 6.5, "probable"),  # exactly 50 % is not more than 50 %
        (4.9, 6.0, 6.5, "probable"),  # exactly 40 % of area is not more than 40 %
        (6.0, 7.0, 6.5, "probable"),  # 40 % and 30 %: the lower edges
        (6.1, 7.0, 6.5, "none"),
        (4.9, 5.9, 8.0, "probable"),  # moderate dispersion, exactly 60 %
        (4.9, 5.9, 8.1, "none"),  # beyond 60 % no block is called
    ],
)
def test_the_edges_of_the_aaem_table(amplitude, area, duration, expected):
    study = found(
        nerve(
            "left ulnar adm", f"site|amplitude|area|duration\nabove_elbow|10|10|5\naxilla|{amplitude}|{area}|{duration}"
        )
    )
    upper_arm = segment(study, "left ulnar, above elbow to axilla")
    assert classes(upper_arm)["aaem1999"] == expected
    assert {c.status for c in upper_arm.verdicts["aaem1999"].criteria if c.what == "area_fall"} == {"memory"}


def test_the_leg_needs_more_than_the_arm():
    """Fibular, ankle to fibular head: 55 % of amplitude and 45 % of area is definite in an arm, probable in a leg."""
    leg = nerve("left fibular edb", "site|amplitude|area|duration\nankle|6|20|5\nfibular_head|2.7|11|5.5")
    arm = nerve("left median apb", "site|amplitude|area|duration\nwrist|6|20|5\nelbow|2.7|11|5.5")
    study = found(leg, arm)
    assert classes(segment(study, "left fibular, ankle to fibular head"))["aaem1999"] == "probable"
    assert classes(segment(study, "left median, wrist to elbow"))["aaem1999"] == "definite"


@pytest.mark.parametrize(
    ("amplitude", "expected"),
    [(1.00, "not evaluable"), (1.01, "definite")],  # more than 1 mV, not 1 mV
)
def test_a_small_distal_wave_proves_nothing(amplitude, expected):
    study = found(nerve("left median apb", f"site|amplitude|area|duration\nwrist|{amplitude}|3|5\nelbow|0.3|0.9|5.2"))
    verdict = segment(study, "left median, wrist to elbow").verdicts["efns2010"]
    assert verdict.class_.value == expected
    assert verdict.reason == ("distal_too_small" if expected == "not evaluable" else None)


def test_twenty_percent_of_the_lower_limit():
    """Ulnar ADM: the lower limit is 7.9 mV, a fifth of it 1.58 mV. The wave must be larger, not as large."""
    at = nerve("left ulnar adm", "site|amplitude|area|duration\nwrist|1.58|5|5\nbelow_elbow|0.5|1.5|5")
    above = nerve("right ulnar adm", "site|amplitude|area|duration\nwrist|1.60|5|5\nbelow_elbow|0.5|1.5|5")
    study = found(at, above)
    assert classes(segment(study, "left ulnar, wrist to below elbow"))["efns2010"] == "not evaluable"
    right = segment(study, "right ulnar, wrist to below elbow").verdicts["efns2010"]
    assert right.class_ is Class.DEFINITE
    share = criterion(right, "evaluable.distal_amplitude_of_lln")
    assert share.value == pytest.approx(1.60 / 7.9)
    assert share.facts["lln"] == 7.9
    assert ("lower limit of ulnar amplitude", "chen2016_aanem", "memory") in study.unverified


def test_age_moves_the_lower_limit():
    """Median APB at 25 years: lower limit 5.9 mV, a fifth is 1.18 mV; without an age 4.1 mV, a fifth is 0.82 mV."""
    median = nerve("left median apb", "site|amplitude|area|duration\nwrist|1.1|4|5\nelbow|0.4|1.5|5")
    young = segment(found(median, age=25), "left median, wrist to elbow")
    unknown = segment(found(median), "left median, wrist to elbow")
    assert classes(young)["efns2010"] == "not evaluable"
    assert classes(unknown)["efns2010"] == "definite"


def test_no_distal_response_no_question():
    study = found(nerve("left median apb", "site|amplitude|area|duration\nwrist|NR|-|-\nelbow|2|6|5"))
    verdicts = segment(study, "left median, wrist to elbow").verdicts
    assert {v.reason for v in verdicts.values()} == {"distal_absent"}
    assert any(o.kind == "absent_motor" and o.truth is Truth.MET for o in study.others)


def test_nothing_arrives_from_the_axilla():
    """A complete block: all of the area is lost, and nothing is left that could have spread."""
    study = found(nerve("right ulnar adm", "site|amplitude|area|duration\nabove_elbow|8|24|5\naxilla|NR|-|-"))
    upper_arm = segment(study, "right ulnar, above elbow to axilla")
    assert upper_arm.area_change == -1.0
    assert upper_arm.duration_change is None
    assert classes(upper_arm)["efns2010"] == "definite"
    assert "complete" in caveats(upper_arm)


def test_not_measured_is_not_absent():
    study = found(nerve("right ulnar adm", "site|amplitude|area|duration\nabove_elbow|8|24|5\naxilla|-|-|-"))
    upper_arm = segment(study, "right ulnar, above elbow to axilla")
    assert upper_arm.area_change is None
    assert classes(upper_arm)["efns2010"] == "unknown"
    assert not upper_arm.proximal_absent


def test_amplitude_only_cannot_be_graded_by_area():
    """One report in six gives amplitudes alone: EFNS/PNS is unknown, the screen rings, and the letter says what to measure."""
    study = found(nerve("left median apb", "site|amplitude\nwrist|9.0\nelbow|3.0"))
    forearm = segment(study, "left median, wrist to elbow")
    assert classes(forearm)["efns2010"] == "unknown"
    assert classes(forearm)["amplitude30"] == "probable"
    assert set(forearm.verdicts["efns2010"].missing) == {"area_fall", "duration_rise"}
    assert forearm.verdicts["efns2010"].possible == (Class.DEFINITE, Class.PROBABLE, Class.NONE)
    assert "amplitude_only" in caveats(forearm)


@pytest.mark.parametrize(
    ("elbow", "efns", "open_"),
    [(8.6, "none", ()), (7.0, "unknown", ("probable",)), (3.0, "unknown", ("definite", "probable"))],
)
def test_what_an_amplitude_alone_leaves_open(elbow, efns, open_):
    """Area hardly falls more than amplitude: 4 % less leaves no block open, 22 % leaves probable, 67 % leaves all."""
    forearm = segment(
        found(nerve("left median apb", f"site|amplitude\nwrist|9.0\nelbow|{elbow}")), "left median, wrist to elbow"
    )
    verdict = forearm.verdicts["efns2010"]
    assert verdict.class_.value == efns
    assert tuple(c.value for c in verdict.possible if c is not Class.NONE) == open_
    assert classes(forearm)["aaem1999"] == ("unknown" if elbow == 3.0 else "none")
    assert classes(forearm)["utrecht"] == {8.6: "none", 7.0: "none", 3.0: "probable"}[elbow]


def test_area_without_duration_is_at_least_probable():
    """Half of the area is gone. Whichever the duration, EFNS/PNS calls it probable or definite."""
    study = found(nerve("left median apb", "site|amplitude|area\nwrist|8|24\nelbow|4|9"))
    verdict = segment(study, "left median, wrist to elbow").verdicts["efns2010"]
    assert verdict.class_ is Class.PROBABLE
    assert verdict.possible == (Class.DEFINITE, Class.PROBABLE)
    assert verdict.missing == ("duration_rise",)


def test_a_small_fall_needs_no_duration():
    """Area 10 % less: no duration could make this a block, so nothing is asked for."""
    study = found(nerve("left median apb", "site|amplitude|area\nwrist|8|20\nelbow|7|18"))
    verdict = segment(study, "left median, wrist to elbow").verdicts["efns2010"]
    assert (verdict.class_, verdict.missing) == (Class.NONE, ())


def test_a_short_step_counts_for_utrecht():
    """Inching in the forearm, 25 mm: amplitude 30 % less is definite by Utrecht; EFNS/PNS names no such short step."""
    study = found(
        nerve(
            "left median apb",
            """
            site    | amplitude | area | duration | distance
            forearm | 10        | 30   | 5        | -
            elbow   | 7         | 20.4 | 5        | 25
            """,
        )
    )
    step = segment(study, "left median, forearm to elbow")
    assert classes(step)["utrecht"] == "definite"
    assert classes(step)["efns2010"] == "none"


def test_a_long_segment_is_judged_although_a_site_lies_within():
    """Wrist, mid-forearm, elbow: 20 % and 20 % are nothing, together 36 % are probable over the whole forearm."""
    study = found(
        nerve(
            "left median apb",
            """
            site    | amplitude | area | duration | distance
            wrist   | 10        | 30.0 | 5.0      | 70
            forearm | 8         | 24.0 | 5.1      | 110
            elbow   | 6.4       | 19.2 | 5.2      | 110
            """,
        )
    )
    assert classes(segment(study, "left median, wrist to forearm"))["efns2010"] == "none"
    whole = segment(study, "left median, wrist to elbow")
    assert whole.area_change == pytest.approx(-0.36)
    assert whole.distance == 220
    assert classes(whole)["efns2010"] == "probable"


def test_the_order_of_the_rows_does_not_matter():
    rows = ["wrist|8|24|5", "elbow|4|9|5", "axilla|4|9|5"]
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        table = "site|amplitude|area|duration\n" + "\n".join(rows[i] for i in order)
        names = [s.name for s in found(nerve("left median apb", table)).segments]
        assert names == ["left median, wrist to elbow", "left median, elbow to axilla"]


def test_a_radial_block_is_probable_at_most_by_efns():
    """EFNS/PNS names median, ulnar and fibular; a radial block is shown by analogy, and the letter says so."""
    study = found(nerve("left radial eip", "site|amplitude|area|duration\nelbow|5|15|5\nupper_arm|1.5|4.5|5.2"))
    arm = segment(study, "left radial, elbow to upper arm")
    assert classes(arm)["efns2010"] == "probable"
    assert "nerve_not_named" in caveats(arm)


def test_a_muscle_without_a_lower_limit_is_judged_where_any_limit_would_do():
    """Biceps is not in the reference; 9 mV is more than a fifth of any limit. 1.8 mV is not, so that stays open."""
    large = found(nerve("left musculocutaneous biceps", "site|amplitude|area|duration\naxilla|9|40|8\nerb|2|8|8.5"))
    small = found(
        nerve("left musculocutaneous biceps", "site|amplitude|area|duration\naxilla|1.8|8|8\nerb|0.4|1.7|8.5")
    )
    one, other = (segment(f, "left musculocutaneous, axilla to erb") for f in (large, small))
    assert classes(one)["efns2010"] == "probable"
    assert "lln_bounded" in caveats(one)
    assert classes(other)["efns2010"] == "unknown"
    assert other.verdicts["efns2010"].missing == ("distal_amplitude_of_lln",)
