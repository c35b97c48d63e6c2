"""What else a study shows: slow and late responses, F waves, feeling; how much was looked at; a laboratory's own limits."""

import pytest

from ranvier.conduction.limits import limit
from ranvier.conduction.load import Reference, load, read_reference, reference_from
from ranvier.conduction.words import say
from ranvier.ground.notes import InputError
from ranvier.ground.truth import Truth

from .drawn import found, nerve, segment

MEDIAN = "site|latency|amplitude|area|duration|distance\nwrist|{}|9|30|5|80\nelbow|{}|9|30|5.1|220"


def pick(study, kind, set_="reference"):
    return next(o for o in study.others if o.kind == kind and o.set in (set_, None))


def test_slow_by_the_laboratory_and_by_utrecht():
    """220 mm in 6.0 ms are 36.7 m/s. The lower limit is 49; 75 % of it is 36.75, 70 % is 34.3."""
    study = found(nerve("left median apb", MEDIAN.format(3.6, 9.6)))
    assert pick(study, "slow_velocity").truth is Truth.MET
    utrecht = pick(study, "slow_velocity", "utrecht")
    assert (utrecht.truth, utrecht.limit, utrecht.normal) == (Truth.MET, 36.75, 49)
    assert pick(study, "slow_velocity", "cidp2010").truth is Truth.NOT_MET


def test_a_late_distal_response():
    """Upper limit 4.5 ms; 130 % of it is 5.85 ms, 150 % is 6.75 ms. 6 ms lies between."""
    study = found(nerve("left median apb", MEDIAN.format(6.0, 10.4)))
    assert pick(study, "prolonged_distal_latency").truth is Truth.MET
    assert pick(study, "prolonged_distal_latency", "utrecht").truth is Truth.MET
    assert pick(study, "prolonged_distal_latency", "cidp2010").truth is Truth.NOT_MET


def test_a_limit_for_another_distance_says_so():
    study = found(nerve("left median apb", MEDIAN.format(4.0, 8.0).replace("|80", "|60")))
    late = pick(study, "prolonged_distal_latency")
    assert "distance_differs" in {c.name for c in late.caveats}


def test_f_waves():
    late = found(nerve("left median", "site|latency\nwrist|34", kind="f_wave"))
    assert pick(late, "prolonged_f").truth is Truth.MET
    assert pick(late, "prolonged_f", "utrecht").truth is Truth.NOT_MET  # 130 % of 32 is 41.6
    none = found(nerve("left median", "site|latency\nwrist|NR", kind="f_wave"))
    assert pick(none, "absent_f").truth is Truth.MET


def test_feeling_is_spared():
    normal = found(nerve("left median digit2", "site|latency|amplitude|distance\nwrist|2.6|24|140", kind="sensory"))
    low = found(nerve("left median digit2", "site|latency|amplitude|distance\nwrist|2.6|10.9|140", kind="sensory"))
    gone = found(nerve("left median digit2", "site|amplitude\nwrist|NR", kind="sensory"))
    assert normal.sensory_normal("median", "left") is Truth.MET
    assert low.sensory_normal("median", "left") is Truth.NOT_MET
    assert gone.sensory_normal("median", "left") is Truth.NOT_MET
    assert normal.sensory_normal("ulnar", "left") is Truth.UNKNOWN


def test_a_limit_of_one_muscle_is_not_used_for_another():
    """ADM has a lower limit, FDI has none here: the comparison is said to be impossible, not made with the wrong number."""
    study = found(nerve("left ulnar fdi", "site|amplitude|area|duration\nwrist|9|30|5\nbelow_elbow|9|30|5"))
    low = pick(study, "low_distal_amplitude")
    assert low.truth is Truth.UNKNOWN
    assert "muscle_unknown_to_reference" in {c.name for c in low.caveats}


def test_a_muscle_that_nobody_named():
    study = found(nerve("left median", "site|amplitude|area|duration\nwrist|9|30|5\nelbow|9|30|5"))
    assert "muscle_not_said" in {c.name for c in segment(study, "left median, wrist to elbow").caveats}


def test_height_and_age_choose_the_limit():
    knowledge = load()
    leg = nerve("left fibular edb", "site|amplitude\nankle|3\nfibular_head|3")

    def lower(age, height):
        got = limit(
            knowledge.references["chen2016"],
            knowledge,
            leg,
            "velocity",
            age=age,
            height=height,
            region="ankle_fibular_head",
        )
        return got.value

    assert lower(None, None) == 38
    assert lower(25, 160) == 43
    assert lower(25, 180) == 37
    assert lower(60, 180) == 36


def test_a_limit_that_grows_with_height():
    """F latency 28 ms at 170 cm and 0.2 ms more for each cm: at 190 cm the limit is 32 ms; without a height it is not used."""
    entry = {
        "nerve": "median", "kind": "f_wave", "what": "latency", "side": "upper", "value": 28, "unit": "ms", "status": "read",
        "where": "our own series", "height_slope": 0.2, "height_from": 170,
    }  # fmt: skip
    own = reference_from({"id": "own", "name": "Our laboratory", "entries": [entry]}, "own.yaml")
    f = nerve("left median", "site|latency\nwrist|31", kind="f_wave")
    assert pick(found(f, height=190, reference=own), "prolonged_f").truth is Truth.NOT_MET
    assert pick(found(f, height=170, reference=own), "prolonged_f").truth is Truth.MET
    assert pick(found(f, reference=own), "prolonged_f").truth is Truth.UNKNOWN


def test_the_number_of_comparisons_is_told():
    """Two limits at the third percentile each: 1 - 0.97 squared is 5.9 %."""
    study = found(
        nerve("left median apb", "site|amplitude\nwrist|9\nelbow|9", kind="motor"),
        nerve("left ulnar adm", "site|amplitude\nwrist|9\nbelow_elbow|9"),
    )
    assert study.tested.segments == 2
    assert study.tested.comparisons == 2
    assert study.tested.chance_of_one == pytest.approx(1 - 0.97**2)


def test_a_laboratory_puts_its_own_limits_in_place(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(
        "id: own\nname: Our laboratory 2025\nentries:\n"
        "  - {nerve: median, kind: motor, muscle: apb, what: amplitude, side: lower, value: 10, unit: mV,\n"
        "     status: read, where: own series}\n"
    )
    own = read_reference(file)
    median = nerve("left median apb", "site|amplitude|area|duration\nwrist|1.9|6|5\nelbow|0.5|1.5|5")
    assert segment(found(median), "left median, wrist to elbow").verdicts["efns2010"].class_.value == "definite"
    with_own = found(median, reference=own)
    assert segment(with_own, "left median, wrist to elbow").verdicts["efns2010"].class_.value == "not evaluable"
    assert "Our laboratory 2025" in with_own.reference


def test_every_fault_of_a_reference_file_at_once():
    sound = {
        "nerve": "median", "kind": "motor", "what": "amplitude", "side": "lower", "value": 4, "unit": "mV", "status": "read",
        "where": "our own series",
    }  # fmt: skip
    entries = [
        {**sound, "side": "below", "unit": "uV"},
        {**sound, "value": "4,1"},
        {**sound, "age": [60, 40]},
        "nonsense",
    ]
    data = {"id": "own", "percentile": 3, "entries": entries}
    with pytest.raises(InputError) as error:
        reference_from(data, "own.yaml")
    places = [p.place for p in error.value.problems]
    for expected in (
        "name",
        "percentile",
        "entries[0].side",
        "entries[0].unit",
        "entries[1].value",
        "entries[2].age",
        "entries[3]",
    ):
        assert any(place.endswith(f": {expected}") for place in places), (expected, places)
    assert all(p.remedy for p in error.value.problems)


def test_no_such_reference():
    with pytest.raises(FileNotFoundError):
        read_reference("nowhere.yaml")


def test_shipped_knowledge_holds_together():
    """Every limit names what can be compared, every caveat can be said, every rule speaks of known nerves and regions."""
    knowledge = load()
    assert [r.id for r in knowledge.rules] == ["efns2010", "aaem1999", "utrecht", "amplitude30"]
    for reference in knowledge.references.values():
        assert isinstance(reference, Reference)
        assert all(e.nerve in knowledge.nerves for e in reference.entries)
    for rule in knowledge.rules:
        for variant in rule.variants:
            assert set(variant.nerves) <= set(knowledge.nerves)
            assert variant.caveat is None or variant.caveat in knowledge.caveats
    for id, caveat in knowledge.caveats.items():
        from ranvier.ground.findings import Finding

        says, do = say(Finding(id))
        assert says.endswith((".", "…")) or "?" in says, id
        assert do.endswith("."), id
        assert caveat.status


def test_units_of_tables_have_the_size_the_library_says():
    from ucumvert import PintUcumRegistry

    library = PintUcumRegistry()
    units = load().units
    for kind, spellings in units["spellings"].items():
        first = {"time": "ms", "voltage": "mV", "area": "mV.ms", "length": "mm", "fraction": "1"}.get(kind)
        if first is None:
            continue
        for code in spellings:
            size = (1.0 * library.from_ucum(code)).to(library.from_ucum(first)).magnitude
            assert units["sizes"][code] == pytest.approx(size), code
