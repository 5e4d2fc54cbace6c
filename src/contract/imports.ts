import { type Static, Type } from 'typebox';
import { Nullable, named, Strict, Time, words } from './common.ts';

export const DomainImport = named(
  'DomainImport',
  Type.Object({
    id: Type.String(),
    app: Type.String(),
    total: Type.Integer(),
    done: Type.Integer(),
    added: Type.Integer(),
    kept: Type.Integer({ description: 'names that the app had already' }),
    failed: Type.Integer(),
    created_at: Time,
    finished_at: Nullable(Time),
  }),
);
export type DomainImport = Static<typeof DomainImport>;

export const ImportLine = named(
  'ImportLine',
  Type.Object({
    line: Type.Integer({ description: 'in the file, from 1' }),
    domain: Type.String(),
    outcome: words(['open', 'added', 'kept', 'failed']),
    detail: Nullable(Type.String({ description: 'why it failed, and what to do' })),
  }),
);
export type ImportLine = Static<typeof ImportLine>;

export const Webhook = named(
  'Webhook',
  Type.Object({
    id: Type.String(),
    url: Type.String(),
    app: Nullable(Type.String({ description: 'events of this app only' })),
    last_status: Nullable(Type.String({ description: 'how the last delivery went' })),
    last_at: Nullable(Time),
    created_at: Time,
  }),
);
export type Webhook = Static<typeof Webhook>;

export const CreatedWebhook = named(
  'CreatedWebhook',
  Type.Object({
    ...Webhook.properties,
    secret: Type.String({ description: 'signs deliveries (Standard Webhooks); shown here and never again' }),
  }),
);
export type CreatedWebhook = Static<typeof CreatedWebhook>;

export const CreateWebhook = named(
  'CreateWebhook',
  Type.Object({ url: Type.String({ maxLength: 2000 }), app: Type.Optional(Type.String({ maxLength: 100 })) }, Strict),
);
export type CreateWebhook = Static<typeof CreateWebhook>;
