import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../base/index.ts';
import { parseProviderFields } from './fields.ts';
import { challengeRecordName } from './record-name.ts';

test('fields are checked all at once, and each problem names its field', () => {
  assert.throws(
    () => parseProviderFields('ovh', { region: 'ovh-mars', application_secret: 's', colour: 'blue' }),
    (error) => {
      assert(error instanceof Fault);
      const fields = error.details.problems?.map(({ field }) => field);
      assert.deepEqual(fields, ['fields.colour', 'fields.region', 'fields.application_key', 'fields.consumer_key']);
      return true;
    },
  );
});

test('what is not given takes its fallback, and an endpoint carries no password', () => {
  const fields = parseProviderFields('cloudflare', { api_token: ' t ' });
  assert.deepEqual(fields, { api_token: 't', endpoint: 'https://api.cloudflare.com/client/v4' });
  assert.throws(() => parseProviderFields('cloudflare', { api_token: 't', endpoint: 'https://u:p@proxy.example/' }));
});

test('a wildcard is proved at the name below its star, and each challenge type has its own label', () => {
  assert.equal(challengeRecordName('dns-01', '*.example.com'), '_acme-challenge.example.com');
  assert.equal(challengeRecordName('dns-persist-01', 'example.com'), '_validation-persist.example.com');
  // The example of draft-ietf-acme-dns-account-label.
  assert.equal(
    challengeRecordName('dns-account-01', 'example.org', 'https://example.com/acme/acct/ExampleAccount'),
    '_ujmmovf2vn55tgye._acme-challenge.example.org',
  );
});
