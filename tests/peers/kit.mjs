// Reads one person from a FHIR server as npm fhir-kit-client does: what the server says of itself, the Patient, and a search page
// by page. Prints one line of JSON.
//   node kit.mjs BASE TOKEN PATIENT
import { CapabilityTool, Client } from 'fhir-kit-client';

const [baseUrl, bearerToken, patient] = process.argv.slice(2);
const client = new Client({ baseUrl, bearerToken });
const statement = await client.capabilityStatement();
const may = new CapabilityTool(statement).resourceCan('Patient', 'read');
const who = await client.read({ resourceType: 'Patient', id: patient });
let page = await client.resourceSearch({ resourceType: 'Observation',
  searchParams: { patient, code: 'http://loinc.org|83174-3', _count: 10 } });
const { total } = page;
const sizes = [];
while (page) {
  sizes.push(page.entry.length);
  page = await client.nextPage({ bundle: page });
}
const refused = await client.read({ resourceType: 'Patient', id: 'nobody' }).then(() => null, (error) => error.response?.status);
console.log(JSON.stringify({
  version: statement.fhirVersion, may, identifier: who.identifier[0].value, total, sizes, refused,
}));
