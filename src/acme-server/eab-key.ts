import { Ajv2020 } from 'ajv/dist/2020.js';
import { type Static, Type } from 'typebox';
import { Fault } from '../base/index.ts';
import { parseNamePattern } from './name-policy.ts';

const Names = Type.Array(Type.String({ maxLength: 300 }), { maxItems: 10_000, default: [] });

/** What an EAB key may be told to allow. */
export const EabKeySettings = Type.Object(
  {
    description: Type.Optional(Type.String({ maxLength: 300 })),
    names: Type.Object({ allow: Names, deny: Names }, { additionalProperties: false, default: {} }),
    auth_mode: Type.Optional(
      Type.Unsafe<'challenge' | 'trust_authenticated'>({
        type: 'string',
        enum: ['challenge', 'trust_authenticated'],
        description: "instead of the profile's",
      }),
    ),
    max_certificates: Type.Optional(Type.Integer({ minimum: 1, description: 'issued under this key, in all' })),
  },
  { additionalProperties: false },
);
export type EabKeySettings = Static<typeof EabKeySettings>;

const validate = new Ajv2020({ allErrors: true, useDefaults: true, strict: false }).compile<EabKeySettings>(
  EabKeySettings,
);

/** Throws a `Fault` of code `invalid_eab_key`. */
export function parseEabSettings(input: unknown): EabKeySettings {
  const settings: unknown = structuredClone(input ?? {});
  if (!validate(settings)) {
    const { instancePath, message } = validate.errors![0]!;
    throw invalid(instancePath.split('/').slice(1).join('.'), message ?? 'is wrong');
  }
  for (const list of ['allow', 'deny'] as const)
    settings.names[list].forEach((text, index) => {
      try {
        parseNamePattern(text);
      } catch {
        throw invalid(`names.${list}[${index}]`, `${JSON.stringify(text)} is no name, *.suffix or CIDR`);
      }
    });
  return settings;
}

const kept = new Map<string, EabKeySettings>();

/** Settings that were checked when they were written; parsed once a text. */
export function parseStoredEabSettings(text: string): EabKeySettings {
  let settings = kept.get(text);
  if (settings === undefined) {
    settings = parseEabSettings(JSON.parse(text));
    if (kept.size >= 10_000) kept.delete(kept.keys().next().value!);
    kept.set(text, settings);
  }
  return settings;
}

function invalid(field: string, why: string): Fault {
  return new Fault({
    code: 'invalid_eab_key',
    detail: `${field} ${why}`,
    party: 'client',
    retry: 'never',
    status: 422,
    field,
  });
}
