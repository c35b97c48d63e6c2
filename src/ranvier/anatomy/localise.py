"""The verb of this room: from an examination to nerves, sites and explanations with their probabilities."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ranvier.anatomy import following
from ranvier.anatomy.asymmetry import compare
from ranvier.anatomy.given import Given, compiled_for, sort_input
from ranvier.anatomy.limb import LIMBS, SIDES, Layout, Limb
from ranvier.anatomy.many import Many
from ranvier.anatomy.nouns import (
    Anatomy,
    Examination,
    Explanation,
    Localisation,
    NervePosterior,
    Part,
    Prior,
    SiteEvidence,
    SitePosterior,
    StrengthFinding,
)
from ranvier.anatomy.patterns import Answer, Place
from ranvier.anatomy.strength import GRADE_INDEX
from ranvier.ground.findings import Fact
from ranvier.ground.findings import Finding as Reason

MANY = "multiple_mononeuropathy"
SINGLE = "single_mononeuropathy"
FEW = 8  # fewer grades than this say little about a pattern
PARTS = 3
REASONS = 4  # muscles named for, and again against, an explanation
SHOWN = 0.2  # a part of an explanation less likely than this is not named
MENTIONED = 0.02  # a variant or a share less likely than this is not named
LEAST = 1e-290  # an explanation that fits worse than this, on the scale of the best fit of each grade, counts as this
VERIFIED = ("read", "read-2nd", "computed")


def localise(
    examination: Examination, anatomy: Anatomy, *, prior: Prior | None = None, conduction: Sequence[SiteEvidence] = ()
) -> Localisation:
    """Which nerves, at which sites, and what kind of explanation at all.

    Parameters
    ----------
    examination : grades of muscles and groups; what is not listed was not tested
    anatomy : the innervation map with its numbers (`load()`)
    prior : beliefs in place of those of the knowledge
    conduction : stretches of nerve that were studied

    Returns
    -------
    Localisation; the same input gives the same answer to the last digit. An empty examination gives the prior.

    Raises
    ------
    KeyError : a muscle, group, site or explanation that the map does not have (use `read_examination` for people's input)
    """
    prior = prior or Prior()
    compiled = compiled_for(anatomy, prior.nerves)
    given = sort_input(examination, compiled, conduction)
    limbs = {
        (limb, side): Limb(compiled.layout, limb, side, given.trees[limb, side], given.evidence[limb, side])
        for limb in LIMBS
        for side in SIDES
    }
    by_limb = {place: limb.evidence_by_world for place, limb in limbs.items()}
    after = Many(compiled, limbs, by_limb, given)
    answers = compiled.patterns.answers(given.seen, given.evidence)
    evidence = {MANY: after.evidence, **{name: answer.evidence for name, answer in answers.items()}}
    evidence = {name: max(value, LEAST) for name, value in evidence.items()}
    many = evidence[MANY]

    explanations = _explanations(anatomy, prior, evidence)
    weight = {name: probability for name, (probability, _, _) in explanations.items()}
    nerve_weight = weight[MANY] + weight[SINGLE]
    doubt = anatomy.likelihood.numbers["doubt"]
    single = answers[SINGLE].parts
    sites = _sites(after, single, weight[MANY] / nerve_weight, doubt)
    nerves = _nerves(after, single, weight, sites, doubt)
    foreseen = {
        (name, place): after.foreseen(place) if name == MANY else compiled.patterns.foreseen(name, answers[name], place)
        for name in explanations
        for place in limbs
    }
    told = tuple(
        Explanation(
            name=name,
            title=anatomy.explanations[name][0],
            probability=probability,
            bayes_factor=evidence[name] / many,
            prior=before,
            parts=_many_parts(nerves) if name == MANY else _parts(answers[name], anatomy),
            because=_reasons(name, foreseen, after, weight),
        )
        for name, (probability, before, _) in explanations.items()
    )
    return Localisation(
        sites=sites,
        nerves=nerves,
        explanations=tuple(sorted(told, key=lambda e: (-e.probability, e.name))),
        asymmetry=compare(examination),
        next=following.most_telling(after, answers, weight, foreseen, conduction),
        variants=after.variants(),
        caveats=_caveats(examination, after, given, sites),
        log_evidence=given.log_scale
        + math.log(sum(evidence[n] * before for n, (_, before, _) in explanations.items())),
        unverified=_unverified(anatomy, given),
    )


def _explanations(
    anatomy: Anatomy, prior: Prior, evidence: Mapping[str, float]
) -> dict[str, tuple[float, float, float]]:
    """Name → posterior, prior, evidence. Some doubt is spread evenly, so that nothing is ever 0 or 1."""
    weights = {name: prior.explanations.get(name, w) for name, (_, w) in anatomy.explanations.items()}
    unknown = set(prior.explanations) - set(weights)
    if unknown:
        raise KeyError(f"no explanation {', '.join(sorted(unknown))}; there are {', '.join(weights)}")
    total = sum(weights.values())
    joint = {name: w / total * evidence[name] for name, w in weights.items()}
    whole = sum(joint.values())
    doubt = anatomy.likelihood.numbers["doubt"]
    return {
        name: ((1 - doubt) * joint[name] / whole + doubt / len(joint), w / total, evidence[name])
        for name, w in weights.items()
    }


def _kept_within(p: float, doubt: float) -> float:
    return min(max(p, doubt / 4), 1 - doubt / 4)


def _above(anatomy: Anatomy, layout: Layout, finding: StrengthFinding) -> frozenset[str]:
    """The sites whose lesion could have weakened what was tested."""
    group = anatomy.groups.get(finding.muscle)
    members = tuple(group.members) if group is not None else (finding.muscle,)
    return frozenset(site for m in members for site in layout.path(anatomy.muscles[m].site))


def _for_and_against(findings: Sequence[StrengthFinding]) -> tuple[tuple[StrengthFinding, Reason], ...]:
    """What each muscle says about a lesion above it: weak ones speak for it and come first, strong ones against."""
    weak = sorted((f for f in findings if f.weak), key=lambda f: (f.value, f.muscle))
    strong = [f for f in findings if not f.weak]
    return tuple(
        (f, Reason(name, {"muscle": f.muscle, "side": f.side, "grade": f.grade}))
        for name, group in (("anatomy.for", weak), ("anatomy.against", strong))
        for f in group
    )


def _sites(
    after: Many, single: Mapping[tuple[str, str | None], float], share_many: float, doubt: float
) -> tuple[SitePosterior, ...]:
    """Every site of a nerve of which something was tested, and the own branches of muscles tested singly."""
    anatomy, layout = after.anatomy, after.compiled.layout
    found = []
    for place, limb in after.limbs.items():
        said = _for_and_against(after.given.origin[place])
        spoken, asked = set(limb.touched), _asked(after, place)
        above = [_above(anatomy, layout, f) for f, _ in said]
        for t in sorted(spoken):
            for site in layout.branchings[place[0]][t].sites:
                if anatomy.sites[site].nerve not in asked:
                    continue
                p = share_many * after.lesion(place, site)
                p += (1 - share_many) * single.get((site, place[1]), 0.0)
                about = anatomy.sites[site]
                because = tuple(reason for (_, reason), sites in zip(said, above, strict=True) if site in sites)
                found.append(SitePosterior(site, about.name, about.nerve, place[1], _kept_within(p, doubt), because))
        for muscle in limb.single:
            about_muscle = anatomy.muscles[muscle]
            p = share_many * after.own_lesion(place, muscle)
            because = tuple(reason for f, reason in said if f.muscle == muscle)
            found.append(
                SitePosterior(
                    f"own_{muscle}", f"branch to {about_muscle.name}", about_muscle.nerve, place[1],
                    _kept_within(p, doubt), because,
                )
            )  # fmt: skip
    return tuple(sorted(found, key=lambda s: (-round(s.probability, 12), s.site, s.side)))


def _asked(after: Many, place: Place) -> set[str]:
    """Nerves of a limb of which a muscle was tested, or a stretch studied, with those above and below on one path."""
    anatomy, layout = after.anatomy, after.compiled.layout
    asked = {
        anatomy.sites[site].nerve
        for finding in after.given.trees[place]
        for muscle in finding.members
        for site in layout.path(anatomy.muscles[muscle].site)
    }
    return asked | {anatomy.sites[s].nerve for e in after.given.evidence[place] for s in e.sites}


def _nerves(
    after: Many,
    single: Mapping[tuple[str, str | None], float],
    weight: Mapping[str, float],
    sites: Sequence[SitePosterior],
    doubt: float,
) -> tuple[NervePosterior, ...]:
    anatomy = after.anatomy
    found = []
    for place, findings in after.given.origin.items():
        asked = _asked(after, place)
        for nerve in anatomy.nerves.values():
            own_sites = [s for s in anatomy.sites.values() if s.nerve == nerve.id]
            if nerve.id not in asked:
                continue
            p = weight[MANY] * after.nerve(place, nerve.id)
            p += weight[SINGLE] * sum(single.get((s.id, place[1]), 0.0) for s in own_sites)
            about = [
                f
                for f in findings
                if (f.muscle in anatomy.muscles and anatomy.muscles[f.muscle].nerve == nerve.id)
                or (
                    f.muscle in anatomy.groups
                    and any(anatomy.muscles[m].nerve == nerve.id for m in anatomy.groups[f.muscle].members)
                )
            ]
            here = [s for s in sites if s.nerve == nerve.id and s.side == place[1]]
            total = sum(s.probability for s in here)
            likeliest = tuple((s.site, s.probability / total) for s in here[:4] if s.probability / total > MENTIONED)
            found.append(
                NervePosterior(
                    nerve=nerve.id, name=nerve.name, side=place[1], probability=_kept_within(p, doubt),
                    muscles_for=tuple(f.muscle for f in sorted(about, key=lambda f: f.value) if f.weak),
                    muscles_against=tuple(f.muscle for f in about if not f.weak),
                    likeliest=likeliest,
                )
            )  # fmt: skip
    return tuple(sorted(found, key=lambda n: (-round(n.probability, 12), n.nerve, n.side)))


def _many_parts(nerves: Sequence[NervePosterior]) -> tuple[Part, ...]:
    return tuple(Part(n.name, n.side, n.probability) for n in nerves[: 2 * PARTS] if n.probability > 0.3)


def _parts(answer: Answer, anatomy: Anatomy) -> tuple[Part, ...]:
    best = sorted(answer.parts.items(), key=lambda item: (-item[1], item[0][0], item[0][1] or ""))
    return tuple(
        Part(anatomy.sites[name].name if name in anatomy.sites else name, side, p)
        for (name, side), p in best[:PARTS]
        if p > SHOWN
    )


def _reasons(name: str, foreseen: following.Foreseen, after: Many, weight: Mapping[str, float]) -> tuple[Reason, ...]:
    """The muscles whose grades this explanation foresees better, and worse, than the best of the others."""
    rival = max((n for n in weight if n != name), key=lambda n: (weight[n], n))
    column = after.compiled.patterns.column
    ratios = []
    for place, findings in after.given.origin.items():
        mine, its = foreseen[name, place], foreseen[rival, place]
        for f in findings:
            if f.muscle in column:
                at = column[f.muscle], GRADE_INDEX[f.grade]
                ratios.append((math.log(float(mine[at]) / float(its[at])), f))
    ratios.sort(key=lambda r: (-r[0], r[1].muscle, r[1].side))
    better = [(r, f) for r, f in ratios[:REASONS] if r > 0.3]
    worse = [(r, f) for r, f in ratios[::-1][:REASONS] if r < -0.3]
    return tuple(
        Reason(
            what,
            {"muscle": f.muscle, "side": f.side, "grade": f.grade, "ratio": float(f"{math.exp(r):.3g}"), "than": rival},
        )
        for what, group in (("anatomy.fits", better), ("anatomy.misfits", worse))
        for r, f in group
    )


def _caveats(examination: Examination, after: Many, given: Given, sites: Sequence[SitePosterior]) -> tuple[Reason, ...]:
    caveats = []
    if len(examination.findings) < FEW:
        caveats.append(Reason("anatomy.few_muscles", {"n": len(examination.findings), "wanted": FEW}, status="design"))
    for side in SIDES:
        other = "left" if side == "right" else "right"
        weak = [f for f in examination.findings if f.side == side and f.weak]
        if weak and not any(f.side == other for f in examination.findings):
            caveats.append(Reason("anatomy.other_side_not_tested", {"side": other}, status="design"))
    for finding, on, grade in given.leverage:
        facts: dict[str, Fact] = {
            "muscle": finding.muscle, "side": finding.side, "grade": finding.grade, "driver": on.driver,
            "driver_grade": grade, "left": on.left,
        }  # fmt: skip
        caveats.append(Reason("anatomy.pseudo_weakness", facts, source=on.source, status=on.status))
    for side in SIDES:
        deep = sum(s.probability for s in sites if s.side == side and s.site in ("pin_supinator", "pin"))
        if deep > 0.3:
            caveats.append(Reason("anatomy.fascicular", {"side": side}, source="baumer2016", status="read"))
    for finding in given.redundant:
        caveats.append(Reason("anatomy.group_adds_nothing", {"group": finding.muscle, "side": finding.side}))
    for place, limb in after.limbs.items():
        for name in limb.simplified:
            caveats.append(Reason("anatomy.group_simplified", {"group": name, "side": place[1]}))
    if not any(f.weak for f in examination.findings) and examination.findings:
        caveats.append(Reason("anatomy.nothing_weak", {"n": len(examination.findings)}))
    return tuple(caveats)


def _unverified(anatomy: Anatomy, given: Given) -> tuple[str, ...]:
    """Rows that took part and that nobody has checked against their source."""
    muscles = {m for findings in given.seen.values() for f in findings for m, _ in f.members}
    names = {f"{table}.{m}" for m in muscles for table in ("innervation", "roots")}
    names |= {f"nerves.{anatomy.muscles[m].nerve}" for m in muscles}
    names |= {name for name in anatomy.status if name.startswith(("numbers.", "likelihood."))}
    return tuple(sorted(n for n in names if n in anatomy.status and anatomy.status[n] not in VERIFIED))
