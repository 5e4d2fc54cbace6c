import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AsnType, fromBER } from 'asn1js';
import fc from 'fast-check';
import { Fault } from '../base/index.ts';
import { type Element, readElement } from './der-read.ts';
import { createCertificationRequest, generateKey } from './index.ts';

type Shape = readonly [tag: number, content: string | readonly Shape[]];
const shapeOf = ({ tag, content, inside }: Element): Shape => [tag, inside?.map(shapeOf) ?? content.toString('hex')];

/** The same, as another library reads it. */
function shapeByAsn1js(block: AsnType): Shape {
  const { valueBeforeDecodeView: whole, idBlock, lenBlock } = block;
  const within = (block.valueBlock as { value?: AsnType[] }).value ?? [];
  const content = Buffer.from(whole.subarray(idBlock.blockLength + lenBlock.blockLength));
  return [whole[0]!, idBlock.isConstructed ? within.map(shapeByAsn1js) : content.toString('hex')];
}

function readByAsn1js(bytes: Uint8Array): ReturnType<typeof fromBER> | undefined {
  try {
    const read = fromBER(bytes, { parseEmbedded: false });
    return read.offset === -1 ? undefined : read;
  } catch {
    return undefined;
  }
}

const readOrRefuse = (bytes: Uint8Array): Element | undefined => {
  try {
    return readElement(bytes);
  } catch (error) {
    assert(error instanceof Fault && error.details.code === 'malformed_der', String(error));
    return undefined;
  }
};

test('what is read of a request with bytes changed, cut or added is what another library reads, or is refused', async () => {
  const request = createCertificationRequest(['shop.example.com', '192.0.2.7'], await generateKey('ec-p256'));
  const changes = fc.array(fc.tuple(fc.nat(request.length - 1), fc.nat(255)), { maxLength: 4 });
  let accepted = 0;
  fc.assert(
    fc.property(changes, fc.nat(20), fc.boolean(), (edits, cut, adds) => {
      const bytes = Buffer.from(
        adds ? Buffer.concat([request, Buffer.alloc(cut)]) : request.subarray(0, -cut || undefined),
      );
      for (const [at, byte] of edits) if (at < bytes.length) bytes[at] = byte;
      const element = readOrRefuse(bytes);
      if (element === undefined) return;
      const other = readByAsn1js(bytes);
      // It looks into values too (an arc of an object identifier, a time); here that is done where one is used.
      if (other === undefined) return;
      const { offset, result } = other;
      accepted++;
      assert.equal(offset, bytes.length);
      assert.deepEqual(shapeOf(element), shapeByAsn1js(result));
    }),
    { numRuns: 2_000 },
  );
  assert(accepted > 50, `only ${accepted} were accepted`);
});

test('what DER does not allow is refused', () => {
  for (const [hex, why] of [
    ['', /no ASN.1/],
    ['30', /no ASN.1/],
    ['0000', /reserved/],
    ['1000', /does not have/],
    ['2400', /does not have/],
    ['3080', /indefinite/],
    ['30800000', /indefinite/],
    ['3081020500', /shortest form/],
    ['308200020500', /shortest form/],
    ['30020500ff', /follow the end/],
    ['30030500ff', /several bytes/],
    ['3003050004', /no ASN.1/],
    ['30030502ff', /no ASN.1/],
    ['1f0100', /several bytes/],
    ['3084ffffffff', /no ASN.1/],
  ] as const)
    assert.throws(() => readElement(Buffer.from(hex, 'hex')), { message: why }, hex);
  const deep = Array.from({ length: 70 }).reduce<Buffer>(
    (inner) =>
      Buffer.concat([Buffer.from([0x30, ...(inner.length < 128 ? [inner.length] : [0x81, inner.length])]), inner]),
    Buffer.alloc(0),
  );
  assert.throws(() => readElement(deep), { message: /too deep/ });
});
