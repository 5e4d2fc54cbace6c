import { type TSchema, Type } from 'typebox';

/** A schema that OpenAPI lists by name. */
export const named = <S extends TSchema>(title: string, schema: S): S => ({ ...schema, title });

export const Time = Type.String({ format: 'date-time', description: 'RFC 3339, UTC' });
export const Nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()]);
export const Strict = { additionalProperties: false } as const;

/** One of a vocabulary's words. */
export const words = <const W extends readonly string[]>(list: W) =>
  Type.Unsafe<W[number]>({ type: 'string', enum: [...list] });

export const data = <S extends TSchema>(schema: S) => Type.Object({ data: schema });
export const page = <S extends TSchema>(schema: S) =>
  Type.Object({
    data: Type.Array(schema),
    page: Type.Object({ next_cursor: Nullable(Type.String({ description: 'give it as ?cursor= for the next page' })) }),
  });

export const PageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 50, description: 'rows in this page' })),
  cursor: Type.Optional(Type.String({ maxLength: 600, description: 'next_cursor of the page before' })),
};

/** RFC 9457, with the members that every problem of ours has. */
export const Problem = named(
  'Problem',
  Type.Object({
    type: Type.String({ description: 'urn:gatehouse:problem:<code>' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String({ description: 'a stable word for programs' }),
    field: Type.Optional(Type.String({ description: 'path of the input that is wrong' })),
    failed_party: Type.Optional(Type.String({ description: 'who failed' })),
    retry: Type.Optional(Type.String({ description: 'never, backoff, or a time before which trying is useless' })),
    advice: Type.Optional(Type.String({ description: 'what a person can do about it' })),
    missing_permission: Type.Optional(Type.String()),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          field: Type.Optional(Type.String()),
          code: Type.String(),
          detail: Type.String(),
          advice: Type.Optional(Type.String()),
        }),
        {
          description: 'one entry for each of several problems',
        },
      ),
    ),
  }),
);

/** Why something is as it is: SPEC's "why in words". */
export const Why = named(
  'Why',
  Type.Object({
    summary: Type.String({ description: 'where it stands and what comes next, in words' }),
    problem: Nullable(
      Type.Object({
        type: Type.String(),
        detail: Type.String(),
        failed_party: Type.String({ description: 'who failed: us, client, ca, dns, …' }),
        at: Nullable(Time),
      }),
    ),
    attempts: Type.Integer({ description: 'failed attempts since the last success' }),
    next_attempt_at: Nullable(Time),
    advice: Nullable(Type.String({ description: 'what a person can do about it' })),
  }),
);
