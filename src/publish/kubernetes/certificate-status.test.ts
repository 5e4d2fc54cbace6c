import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCertificateStatus } from './certificate-status.ts';

const certificate = (status: object | undefined) => ({
  apiVersion: 'cert-manager.io/v1',
  kind: 'Certificate',
  metadata: { name: 'cert-app-123-blog-example-com' },
  ...(status && { status }),
});
const condition = (type: string, status: string, reason?: string, message?: string) => ({
  type,
  status,
  reason,
  message,
});
const word = (...conditions: object[]) => parseCertificateStatus(certificate({ conditions })).status;

test('conditions of cert-manager become the words of a domain', () => {
  assert.equal(parseCertificateStatus(certificate(undefined)).status, 'pending');
  assert.equal(word(condition('Ready', 'True')), 'issued');
  assert.equal(word(condition('Ready', 'True'), condition('Issuing', 'True')), 'renewing');
  assert.equal(word(condition('Ready', 'False', 'DoesNotExist')), 'failed');
  assert.equal(word(condition('Ready', 'False', 'DoesNotExist'), condition('Issuing', 'True')), 'pending');
  const again = { conditions: [condition('Ready', 'False'), condition('Issuing', 'True')], failedIssuanceAttempts: 1 };
  assert.equal(parseCertificateStatus(certificate(again)).status, 'failed');
});

test('what requests, orders and challenges say is carried up, and nothing of those that are well', () => {
  const under = (kind: string, status: object) => ({
    apiVersion: 'x/v1',
    kind,
    metadata: { name: kind.toLowerCase() },
    status,
  });
  const { problems, reason, detail } = parseCertificateStatus(
    certificate({ conditions: [condition('Ready', 'False', 'DoesNotExist', 'Secret does not exist')] }),
    [
      under('CertificateRequest', { conditions: [condition('Ready', 'False', 'Failed', 'order is invalid')] }),
      under('Order', { state: 'invalid', reason: 'rate limited' }),
      under('Challenge', { state: 'pending', reason: 'Waiting for HTTP-01 challenge propagation: 404' }),
      under('Challenge', { state: 'valid', reason: 'Successfully authorized domain' }),
    ],
  );
  assert.deepEqual([reason, detail], ['DoesNotExist', 'Secret does not exist']);
  assert.deepEqual(
    problems.map((problem) => problem.detail),
    ['order is invalid', 'rate limited', 'Waiting for HTTP-01 challenge propagation: 404'],
  );
});
