"""Waves with known answers: triangles measured by hand, sums of units with known block and dispersion, files of both kinds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranvier.conduction import wave_files
from ranvier.conduction.dispersion import density, estimate
from ranvier.conduction.find import find_blocks
from ranvier.conduction.picture import along_the_nerve, overlay
from ranvier.conduction.wave_files import is_wave_file, read_waves
from ranvier.conduction.waves import Wave, measure, measure_all, traces_data
from ranvier.ground.notes import InputError

T = np.arange(-2.0, 60.0, 0.05)


def wave(samples, site="wrist", t=T):
    return Wave(
        "median", "left", "apb", site, np.asarray(samples, dtype=np.float64), float(t[0]), float(t[1] - t[0]), site
    )


def triangle(t, begin, top, end, height):
    return np.interp(t, [begin, top, end], [0.0, height, 0.0], left=0.0, right=0.0)


def unit(t):
    """One motor unit: a negative phase of about 5 ms, then a lower and longer positive one; the whole integrates to zero."""
    x = np.maximum(t, 0.0)
    return (x / 1.2) ** 2 * np.exp(-x / 1.2) - 0.49 * (x / 2.4) ** 2 * np.exp(-x / 2.4)


def person(block, extra, *, seed=0, noise=0.01, units=200):
    """Wrist and elbow waves of one nerve: lognormal units, velocities 55 +- 3 m/s, extra half-normal delays [ms], true block."""
    rng = np.random.default_rng(seed)
    size = rng.lognormal(0.0, 0.6, units)
    size /= size.sum()
    speed = rng.normal(55.0, 3.0, units)
    late = np.abs(rng.normal(0.0, extra, units)) if extra else np.zeros(units)
    kept = rng.random(units) >= block
    wrist = 25 * sum(a * unit(T - 2 - 70 / v) for a, v in zip(size, speed, strict=True))
    elbow = 25 * sum(a * unit(T - 2 - 320 / v - d) for a, v, d, k in zip(size, speed, late, kept, strict=True) if k)
    true_block = 1 - float(size[kept].sum())
    return wave(wrist + rng.normal(0, noise, len(T))), wave(elbow + rng.normal(0, noise, len(T)), "elbow"), true_block


# ---- one wave


def test_a_triangle_is_measured_as_by_hand():
    """From 3 to 8 ms, 10 mV high at 5 ms: area half of 5 ms times 10 mV, 25 mV.ms."""
    found = measure(wave(triangle(T, 3, 5, 8, 10.0)), copies=0)
    assert found.amplitude == pytest.approx(10.0, abs=0.01)
    assert found.onset == pytest.approx(3.0, abs=0.06)
    assert found.end == pytest.approx(8.0, abs=0.06)
    assert found.duration == pytest.approx(5.0, abs=0.08)
    assert found.area == pytest.approx(25.0, rel=0.01)
    assert found.peaks == 1
    assert not found.absent


def test_only_the_negative_peak_counts():
    """A positive phase of the same size follows; amplitude, area and duration do not change."""
    found = measure(wave(triangle(T, 3, 5, 8, 10.0) - triangle(T, 8, 10, 13, 10.0)), copies=0)
    assert found.area == pytest.approx(25.0, rel=0.01)
    assert found.duration == pytest.approx(5.0, abs=0.08)


def test_noise_gives_an_uncertainty():
    noisy = triangle(T, 4, 6, 9, 10.0) + np.random.default_rng(1).normal(0, 0.05, len(T))
    found = measure(wave(noisy), copies=60)
    assert found.noise == pytest.approx(0.05, rel=0.5)
    assert 0.01 < found.sd["amplitude"] < 0.2
    assert abs(found.amplitude - 10.0) < 0.3
    assert abs(found.area - 25.0) < 6 * found.sd["area"] + 0.3


def test_silence_is_an_absent_response():
    found = measure(wave(np.random.default_rng(2).normal(0, 0.01, len(T))))
    assert found.absent
    assert found.amplitude is None


def test_the_stimulus_artefact_is_not_the_response():
    """40 mV at the stimulus, decaying with 1.0 ms into the baseline: blanked, and its tail taken away."""
    artefact = 40.0 * np.exp(-np.maximum(T, 0.0) / 1.0) * (T >= 0)
    found = measure(wave(triangle(T, 7, 9, 12, 5.0) + artefact), copies=0)
    assert found.amplitude == pytest.approx(5.0, rel=0.03)
    assert found.onset == pytest.approx(7.0, abs=0.15)
    assert found.area == pytest.approx(12.5, rel=0.05)
    assert "drift" in found.flags


def test_an_offset_of_the_baseline_does_not_matter():
    plain = measure(wave(triangle(T, 3, 5, 8, 10.0)), copies=0)
    lifted = measure(wave(triangle(T, 3, 5, 8, 10.0) + 3.0), copies=0)
    assert lifted.area == pytest.approx(plain.area, rel=1e-3)


def test_a_first_dip_is_pointed_out():
    """A positive dip before the negative peak: the electrode lies off the end-plate, or fibres cross."""
    assert (
        "initial_positivity" in measure(wave(triangle(T, 5, 7, 10, 10.0) - triangle(T, 3, 4, 5, 2.0)), copies=0).flags
    )


def test_a_wave_turned_upside_down_is_pointed_out():
    assert "mostly_positive" in measure(wave(-triangle(T, 3, 5, 8, 10.0) + triangle(T, 8, 10, 13, 4.0)), copies=0).flags


def test_a_clipped_wave_and_one_cut_off():
    clipped = np.minimum(triangle(T, 3, 5, 8, 10.0), 8.0)
    assert "clipped" in measure(wave(clipped), copies=0).flags
    short = T[T < 6.0]
    assert "cut_off" in measure(wave(triangle(short, 3, 5, 8, 10.0), t=short), copies=0).flags


def test_two_humps_are_counted():
    spread = triangle(T, 3, 5, 7, 10.0) - triangle(T, 7, 8, 9, 1.0) + triangle(T, 9, 11, 13, 6.0)
    found = measure(wave(spread), copies=0)
    assert found.peaks == 2
    assert found.duration == pytest.approx(4.0, abs=0.1)
    assert found.end_of_last == pytest.approx(13.0, abs=0.1)


@given(st.floats(0.5, 20), st.floats(3, 12))
@settings(max_examples=25, deadline=None)
def test_gain_and_delay(gain, delay):
    """Twice the gain is twice the amplitude and area; a later wave is later, and nothing else."""
    base = measure(wave(triangle(T, 3, 5, 8, 2.0)), copies=0)
    other = measure(wave(gain * triangle(T, 3 + delay, 5 + delay, 8 + delay, 2.0)), copies=0)
    assert other.amplitude == pytest.approx(gain * base.amplitude, rel=0.02)
    assert other.area == pytest.approx(gain * base.area, rel=0.02)
    assert other.duration == pytest.approx(base.duration, abs=0.12)
    assert other.onset == pytest.approx(base.onset + delay, abs=0.08)


@pytest.mark.parametrize("samples", [[1.0, 2.0], [float("nan")] * 100])
def test_what_is_no_wave_is_refused(samples):
    with pytest.raises(ValueError, match="finite samples"):
        measure(wave(samples))


# ---- block and dispersion together


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("block", "extra"), [(0.0, 0.0), (0.0, 4.0), (0.3, 0.0), (0.3, 4.0), (0.5, 2.0), (0.7, 0.0), (0.7, 4.0)]
)
def test_block_is_told_from_dispersion(block, extra, seed):
    """The joint estimate finds the true block within 10 points, although dispersion alone takes a fifth of the area."""
    wrist, elbow, true = person(block, extra, seed=seed)
    (joint,) = measure_all([wrist, elbow], copies=0).joint
    assert abs(joint.estimate.block - true) < 0.10
    assert joint.estimate.block_low - 0.05 <= true <= joint.estimate.block_high + 0.05


def test_intervals_tell_the_truth():
    """Twenty people with block from 0 to 80 % and delays from 0 to 6 ms: at least sixteen 90 % intervals hold the truth."""
    rng = np.random.default_rng(9)
    held, errors = 0, []
    for seed in range(20):
        wrist, elbow, true = person(rng.uniform(0, 0.8), rng.uniform(0, 6), seed=100 + seed)
        (joint,) = measure_all([wrist, elbow], copies=0).joint
        held += joint.estimate.block_low <= true <= joint.estimate.block_high
        errors.append(joint.estimate.block - true)
    assert held >= 16
    assert np.std(errors) < 0.07
    assert abs(np.mean(errors)) < 0.06


def test_dispersion_without_block_looks_like_block_to_a_rule_of_area():
    """No fibre is blocked, delays spread by 8 ms: the area falls by more than a third, the estimate says no block."""
    wrist, elbow, true = person(0.0, 8.0, seed=3)
    traces = measure_all([wrist, elbow], copies=0)
    segment = find_blocks(traces.studies).segments[0]
    assert true == 0.0
    assert segment.area_change < -0.35
    assert segment.duration_change > 0.3
    assert traces.joint[0].estimate.block < 0.1
    assert traces.joint[0].estimate.spread > 3.0


def test_the_width_of_the_spread_is_found():
    """Half-normal delays of 4 ms have an SD of 4 * sqrt(1 - 2/pi) = 2.4 ms."""
    wrist, elbow, _ = person(0.0, 4.0, seed=4)
    spread = measure_all([wrist, elbow], copies=0).joint[0].estimate.spread
    assert spread == pytest.approx(4 * np.sqrt(1 - 2 / np.pi), rel=0.35)


def test_a_copy_at_half_size_is_half_a_block():
    d = 10 * unit(np.arange(0, 40, 0.1))
    found = estimate(d, 0.5 * d, 0.1, noise=0.01)
    assert found.block == pytest.approx(0.5, abs=0.01)
    assert found.spread < 0.3
    assert found.kernel.sum() == pytest.approx(1 - 0.5, abs=0.01)
    assert found.misfit < 1
    assert found.warnings == ()


def test_more_noise_less_certainty():
    d = 10 * unit(np.arange(0, 40, 0.1))
    rng = np.random.default_rng(5)
    sure = estimate(d, 0.5 * d + rng.normal(0, 0.01, len(d)), 0.1, noise=0.01)
    less = estimate(d, 0.5 * d + rng.normal(0, 0.8, len(d)), 0.1, noise=0.8)
    assert less.block_high - less.block_low > 2 * (sure.block_high - sure.block_low)


def test_another_nerve_s_wave_does_not_fit():
    """Two humps 8 ms apart, one large and early and one late, cannot come from one spread of this distal wave."""
    t = np.arange(0, 50, 0.1)
    found = estimate(10 * unit(t), 6 * unit(t) - 9 * unit(t - 2) + 8 * unit(t - 12), 0.1, noise=0.01)
    assert "does not fit" in found.warnings


def test_more_than_was_evoked():
    t = np.arange(0, 40, 0.1)
    assert "more proximal than distal" in estimate(10 * unit(t), 12.5 * unit(t), 0.1, noise=0.01).warnings


@pytest.mark.parametrize("shape", [1.0, 2.5, 20.0])
def test_kernels_have_the_width_they_are_named_after(shape):
    kernel = density(3.0, shape)
    t = 0.1 * (np.arange(len(kernel)) + 0.5)
    mean = kernel @ t
    assert kernel.min() >= 0
    assert kernel.sum() == pytest.approx(1.0)
    assert np.sqrt(kernel @ (t - mean) ** 2) == pytest.approx(3.0, rel=0.03)


@pytest.mark.parametrize(("d", "step"), [(np.zeros(50), 0.1), (np.ones(2), 0.1), (np.ones(50), 0.0)])
def test_nothing_to_estimate(d, step):
    with pytest.raises(ValueError, match="wave"):
        estimate(d, d, step, noise=0.01)


# ---- files


def table(path, head="time (ms),left median APB wrist (mV),left median APB elbow (mV)"):
    wrist, elbow, _ = person(0.5, 2.0, seed=6)
    rows = [f"{t:.3f},{a:.5f},{b:.5f}" for t, a, b in zip(T, wrist.samples, elbow.samples, strict=True)]
    path.write_text("\n".join([head, *rows]))
    return path


def test_waves_from_a_table_become_a_study(tmp_path):
    file = table(tmp_path / "traces.csv")
    assert is_wave_file(file)
    traces = measure_all(read_waves([file]), copies=0)
    (study,) = traces.studies.studies
    assert (study.nerve, study.side, study.muscle) == ("median", "left", "apb")
    assert [r.site for r in study.sites] == ["wrist", "elbow"]
    assert study.sites[0].latency == pytest.approx(3.4, abs=0.3)
    assert traces_data(traces)["joint"][0]["basis"] == "measurement"


def test_microvolts_and_seconds(tmp_path):
    wrist, _, _ = person(0.0, 0.0)
    rows = [f"{t / 1000:.6f};{1000 * a:.2f}".replace(".", ",") for t, a in zip(T, wrist.samples, strict=True)]
    file = tmp_path / "kurven.csv"
    file.write_text("Zeit (s);N. medianus links Handgelenk APB (µV)\n" + "\n".join(rows))
    (found,) = read_waves([file])
    assert found.step == pytest.approx(0.05)
    assert found.samples.max() == pytest.approx(wrist.samples.max(), rel=1e-3)


def test_turning_over_and_gain(tmp_path):
    file = table(tmp_path / "traces.csv")
    plain, turned = read_waves([file])[0], read_waves([file], invert=True, gain=2.0)[0]
    assert np.allclose(turned.samples, -2.0 * plain.samples)


@pytest.mark.parametrize(
    ("head", "complaint"),
    [
        ("time,left median APB wrist (mV),left median APB elbow (mV)", "the time has no unit"),
        ("time (ms),left median APB wrist,left median APB elbow (mV)", "the wave has no unit"),
        ("time (ms),channel 1 (mV),left median APB elbow (mV)", "does not say nerve, side, site"),
        ("time (ms),left median ankle (mV),left median APB elbow (mV)", "not stimulated at ankle"),
        ("time (ms),left median APB wrist (mV),left median APB wrist (mV)", "the same nerve, muscle and site"),
        ("time (s),left median APB wrist (mV),left median APB elbow (mV)", "too coarse"),
    ],
)
def test_waves_that_do_not_say_what_they_are(tmp_path, head, complaint):
    with pytest.raises(InputError) as error:
        read_waves([table(tmp_path / "traces.csv", head)])
    assert any(complaint in p.what for p in error.value.problems), error.value.problems
    assert all(p.remedy for p in error.value.problems)


def test_uneven_times_and_holes(tmp_path):
    file = table(tmp_path / "traces.csv")
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:300], *lines[340:]]))
    with pytest.raises(InputError) as error:
        read_waves([file])
    assert "even steps" in error.value.problems[0].what
    file.write_text("\n".join([*lines[:300], "13.0,oops,1", *lines[301:]]))
    with pytest.raises(InputError) as error:
        read_waves([file])
    assert "no number" in error.value.problems[0].what


def test_abf_goes_there_and_back(tmp_path):
    """A wave written as ABF by the library comes back with its size and its time between samples."""
    pytest.importorskip("pyabf", reason="ABF files need the library pyabf, which is not installed here")
    from pyabf.abfWriter import writeABF1

    wrist, _, _ = person(0.0, 0.0, noise=0.0)
    file = tmp_path / "left median APB wrist.abf"
    writeABF1(np.array([wrist.samples, wrist.samples]), str(file), 20000.0, units="mV")
    (found,) = read_waves([file])
    assert (found.nerve, found.side, found.muscle, found.site) == ("median", "left", "apb", "wrist")
    assert found.step == pytest.approx(0.05)
    assert found.samples.max() == pytest.approx(wrist.samples.max(), rel=0.01)


def abf(folder, sweeps, units="mV", rate=20000.0, name="left median APB wrist.abf"):
    """An ABF file of these sweeps [samples in `units`]."""
    pytest.importorskip("pyabf", reason="ABF files need the library pyabf, which is not installed here")
    from pyabf.abfWriter import writeABF1

    writeABF1(np.array(sweeps), str(folder / name), rate, units=units)
    with (folder / name).open("ab") as file:
        file.write(bytes(8192))  # the writer's header is shorter than what the reader looks through in a short file
    return folder / name


@pytest.mark.parametrize(("units", "factor"), [("mV", 1.0), ("uV", 1000.0), ("V", 0.001)])
def test_abf_in_any_voltage_measures_the_same(tmp_path, units, factor):
    wrist, _, _ = person(0.0, 0.0, noise=0.0)
    (found,) = read_waves([abf(tmp_path, [wrist.samples * factor], units)])
    assert measure(found).amplitude == pytest.approx(measure(wrist).amplitude, rel=0.01)
    assert measure(found).area == pytest.approx(measure(wrist).area, rel=0.02)


def test_repeated_sweeps_are_averaged_and_the_noise_falls(tmp_path):
    wrist, _, _ = person(0.0, 0.0, noise=0.0)
    noise = np.random.default_rng(1).normal(0.0, 0.05, (16, len(wrist.samples)))
    (found,) = read_waves([abf(tmp_path, wrist.samples + noise)])
    assert np.std(found.samples - wrist.samples) < 0.03


def test_sweeps_of_two_sites_in_one_file_are_never_averaged(tmp_path):
    """Wrist and elbow in one file: their mean would be nobody's response."""
    wrist, _, _ = person(0.0, 0.0, noise=0.0)
    with pytest.raises(InputError) as error:
        read_waves([abf(tmp_path, [wrist.samples, 0.4 * wrist.samples])])
    assert "no repeats" in error.value.problems[0].what
    assert "one response per file" in error.value.problems[0].remedy


def test_sweeps_without_a_response_may_differ_in_their_noise(tmp_path):
    noise = np.random.default_rng(2).normal(0.0, 0.01, (3, 1000)) * np.array([[1.0], [2.0], [0.5]])
    (found,) = read_waves([abf(tmp_path, noise)])
    assert measure(found).absent


def test_a_sample_that_no_amplifier_gives_is_refused(tmp_path):
    file = tmp_path / "big.csv"
    rows = "\n".join(f"{i * 0.05:.2f},1e300" for i in range(500))
    file.write_text("time (ms),left median APB wrist (mV)\n" + rows)
    with pytest.raises(InputError) as error:
        read_waves([file])
    assert "cannot be" in error.value.problems[0].what


def test_a_current_is_no_response(tmp_path):
    with pytest.raises(InputError) as error:
        read_waves([abf(tmp_path, [np.sin(np.arange(1000) / 50)], "pA")])
    assert "no voltage" in error.value.problems[0].what


@pytest.mark.parametrize("kept", [0, 4, 100, 600, 2048, 2100])
def test_an_abf_file_cut_off_anywhere_is_refused(tmp_path, kept):
    wrist, _, _ = person(0.0, 0.0, noise=0.0)
    file = abf(tmp_path, [wrist.samples])
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(InputError) as error:
        read_waves([file])
    assert error.value.problems[0].remedy


def test_an_abf_file_that_is_none(tmp_path):
    pytest.importorskip("pyabf", reason="ABF files need the library pyabf, which is not installed here")
    file = tmp_path / "left median APB wrist.abf"
    file.write_bytes(b"rubbish")
    with pytest.raises(InputError) as error:
        read_waves([file])
    assert "no readable ABF file" in error.value.problems[0].what


def test_without_the_library_the_way_out_is_named(tmp_path, monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(wave_files, "import_module", missing)
    file = tmp_path / "left median APB wrist.abf"
    file.write_bytes(b"ABF ")
    with pytest.raises(InputError) as error:
        read_waves([file])
    assert "CSV" in error.value.problems[0].remedy


def test_pictures_are_plain_data(tmp_path):
    """Both pictures are specifications that can be drawn, and say their numbers in words."""
    import vl_convert

    traces = measure_all(read_waves([table(tmp_path / "traces.csv")]), copies=0)
    drawn = vl_convert.vegalite_to_svg(overlay(traces))
    assert "wrist" in drawn
    assert "mV·ms" in drawn
    bars = vl_convert.vegalite_to_svg(along_the_nerve(find_blocks(traces.studies)))
    assert "% of wrist" in bars
