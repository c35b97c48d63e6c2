"""The innervation map: whole, consistent, with its sources; and faults in it are found."""

import importlib.resources
import shutil
from pathlib import Path

import pytest
import yaml
from tests.anatomy.build import anatomy, examined

from ranvier.anatomy import localise
from ranvier.anatomy.load import STATUSES, TABLES, read
from ranvier.ground.notes import InputError

FOLDER = Path(str(importlib.resources.files("ranvier.knowledge"))) / "anatomy"


def test_seventy_nine_muscles_each_with_nerve_roots_and_movement():
    muscles = anatomy().muscles.values()
    assert len(muscles) == 79
    for m in muscles:
        assert m.movement
        assert m.name
        assert sum(m.roots.values()) == pytest.approx(1)
        assert anatomy().sites[m.site].nerve == m.nerve


def test_a_muscle_farther_down_the_nerve_has_the_longer_path():
    """Order along a nerve in the table agrees with the tree."""

    def path(site):
        parent = anatomy().sites[site].parent
        return [*(path(parent) if parent else []), site]

    for m in anatomy().muscles.values():
        for other in anatomy().muscles.values():
            if (
                path(other.site)[: len(path(m.site))] == path(m.site)
                and other.site != m.site
                and other.nerve == m.nerve
            ):
                assert other.order >= m.order, (m.id, other.id)


def test_every_source_is_known_and_every_row_has_a_status():
    sources = yaml.safe_load((FOLDER.parent / "evidence" / "sources.yaml").read_text())["sources"]
    for table in TABLES:
        lines = (FOLDER / f"{table}.csv").read_text().splitlines()
        assert len(lines) > 1, table
    for noun in (
        *anatomy().muscles.values(),
        *anatomy().sites.values(),
        *anatomy().variants.values(),
        *anatomy().studies.values(),
    ):
        assert noun.source in sources, noun.id
        assert noun.status in STATUSES, noun.id
    for noun in (*anatomy().dependences, *anatomy().nerves.values()):
        assert noun.source in sources or (noun.source is None and noun.status == "assumed")


def test_what_nobody_checked_is_named_in_the_answer():
    found = localise(examined("right: FDI 2, ADM 4"), anatomy())
    assert "roots.fdi" in found.unverified
    assert "numbers.own_branch" in found.unverified
    assert "likelihood.emission" not in found.unverified


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("roots.csv", "fdi,C8,0.5", "fdi,C8,0.9", "sum to"),
        ("roots.csv", "fdi,C8,0.5", "fdi,C8,half", "not a number"),
        ("roots.csv", "fdi,C8", "fdi,C9", "no root"),
        ("segments.csv", "ulnar_elbow,18", "ulnar_elbow,-3", "not a length"),
        ("innervation.csv", "fdi,ulnar,ulnar_deep_distal", "fdi,median,ulnar_deep_distal", "is no part of"),
        ("groups.csv", ",tri,1.0", ",trix,1.0", "no muscle"),
        ("variants.csv", "yes", "perhaps", "cannot be read"),
        ("muscles.csv", "mrc_aids,memory", "mrc_aids,certain", "not a status"),
        ("likelihood.yaml", "share: 0.25", "share: 0.35", "sum to"),
        ("likelihood.yaml", "levels:", "levels: [", "not YAML"),
    ],
)  # fmt: skip
def test_faults_in_the_map_are_found(tmp_path, file, old, new, said):
    shutil.copytree(FOLDER, tmp_path / "a")
    path = tmp_path / "a" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        read(tmp_path / "a")
    assert any(said in p.what for p in caught.value.problems), [p.what for p in caught.value.problems]


def test_a_missing_file_is_named(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "a")
    (tmp_path / "a" / "roots.csv").unlink()
    with pytest.raises(InputError) as caught:
        read(tmp_path / "a")
    assert "roots.csv" in caught.value.problems[0].place


def test_the_version_changes_with_the_files(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "a")
    same = read(tmp_path / "a")
    assert same.version == anatomy().version
    with (tmp_path / "a" / "likelihood.yaml").open("a") as file:
        file.write("# looked at again\n")
    assert read(tmp_path / "a").version != same.version
