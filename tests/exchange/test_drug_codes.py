"""Codes of drugs have one home: what an order check knows, an import knows too."""

from ranvier.evidence import load
from ranvier.exchange.fhir import codes


def test_every_code_of_an_order_check_is_known_to_an_import_and_means_the_same_drug():
    known = codes.drug_codes()
    atc, rxnorm = codes.uri("atc"), codes.uri("rxnorm")
    for drug in load().ingredients:
        for system, code in [(atc, drug.atc), (rxnorm, drug.rxnorm), *((atc, old) for old in drug.former)]:
            if code is not None:
                assert known[(system, code)].what == drug.name
        for old in drug.former:
            assert known[(atc, old)].now == drug.atc


def test_only_normal_human_immunoglobulin_is_read_as_an_infusion():
    infused = {drug.what for drug in codes.drug_codes().values() if drug.immunoglobulin}
    assert infused == {"immunoglobulin for veins", "immunoglobulin under the skin"}
