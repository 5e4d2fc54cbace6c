import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import { type TSchema, Type } from 'typebox';
import type { Clock, Logger } from '../base/index.ts';
import { data, Problem, page } from '../contract/index.ts';
import type { Control } from '../control/index.ts';
import type { OpenIdProvider } from './openid/provider.ts';

export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

export interface RouteDeps {
  readonly control: Control;
  readonly clock: Clock;
  readonly log: Logger;
  readonly openid?: OpenIdSide;
}

export interface OpenIdSide {
  readonly title: string;
  /** Where browsers reach this API; from the request when absent. */
  readonly publicUrl?: string;
  readonly provider: OpenIdProvider;
}

const problems = {
  '4xx': {
    description: 'a problem of the request (RFC 9457)',
    content: { 'application/problem+json': { schema: Problem } },
  },
  '5xx': {
    description: 'a problem here or of somebody this depends on (RFC 9457)',
    content: { 'application/problem+json': { schema: Problem } },
  },
};

export const answers = <S extends TSchema>(schema: S) => ({ 200: data(schema), ...problems });
export const creates = <S extends TSchema>(schema: S) => ({ 200: data(schema), 201: data(schema), ...problems });
export const lists = <S extends TSchema>(schema: S) => ({ 200: page(schema), ...problems });
export const nothing = { 204: Type.Null({ description: 'done' }), ...problems };
export const other = (contentType: string, description: string) => ({
  200: { description, content: { [contentType]: { schema: Type.Unsafe<unknown>({ type: 'string' }) } } },
  ...problems,
});

export const AppPath = Type.Object({ app: Type.String({ maxLength: 100 }) });
export const DomainPath = Type.Object({
  app: Type.String({ maxLength: 100 }),
  domain: Type.String({ maxLength: 1000 }),
});
export const IdPath = Type.Object({ id: Type.String({ maxLength: 300 }) });
