import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { PERMISSIONS } from '../contract/index.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Registers the collection of every route's schema; must come before the routes. */
export async function registerOpenApi(app: FastifyInstance, version: string): Promise<void> {
  const words = Object.entries(PERMISSIONS).map(([name, what]) => `- \`${name}\`: ${what}`);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Gatehouse',
        version,
        description: `Automatic TLS: apps, domains, certificates, ingress.\n\nPermissions of tokens:\n${words.join('\n')}`,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer' },
          session: { type: 'apiKey', in: 'cookie', name: 'gatehouse_session' },
        },
      },
      security: [{ token: [] }, { session: [] }],
    },
  });
}

/** The document, with every schema that has a title moved to `components` and referred to from where it stood. */
export function openApiDocument(app: FastifyInstance): Json {
  const document = structuredClone(app.swagger()) as unknown as { [key: string]: Json };
  const schemas: { [name: string]: Json } = {};
  const lift = (node: Json, key?: string): Json => {
    if (Array.isArray(node)) return node.map((item) => lift(item));
    if (node === null || typeof node !== 'object') return node;
    const { title } = node;
    const inner = Object.fromEntries(Object.entries(node).map(([name, value]) => [name, lift(value, name)]));
    if (typeof title !== 'string' || key === 'info' || !('type' in node)) return inner;
    delete inner.title;
    schemas[title] ??= inner;
    return { $ref: `#/components/schemas/${title}` };
  };
  const paths = lift(document.paths ?? {});
  const components = document.components as { [key: string]: Json };
  return { ...document, paths, components: { ...components, schemas } };
}
