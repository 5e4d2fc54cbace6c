import { Ajv2020 } from 'ajv/dist/2020.js';
import type { FastifySchema } from 'fastify';

const options = { allErrors: true, useDefaults: true, strict: false, verbose: true, removeAdditional: false } as const;
const formats = { 'date-time': (text: string) => !Number.isNaN(Date.parse(text)) };

// A body says its types itself, so "8080" is no number there. A query is text only, so its numbers are read from text.
const strictTypes = new Ajv2020({ ...options, coerceTypes: false, formats });
const fromText = new Ajv2020({ ...options, coerceTypes: true, formats });

export function compileValidator({ schema, httpPart }: { schema: FastifySchema; httpPart?: string }) {
  const ajv = httpPart === 'body' ? strictTypes : fromText;
  return ajv.compile(schema);
}
