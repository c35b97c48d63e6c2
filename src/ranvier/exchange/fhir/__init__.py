"""FHIR R4: plain data in and out, with exact decimals; every element that is not understood is said, by FHIRPath."""

from ranvier.exchange.fhir.read import FromFhir, read_bundle
from ranvier.exchange.fhir.write import Written, write, write_bundle

__all__ = ["FromFhir", "Written", "read_bundle", "write", "write_bundle"]
