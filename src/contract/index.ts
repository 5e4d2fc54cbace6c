// contract owns the documents that the API takes and gives, as schemas, and the words in them. Pure.
// It is what the command line, the console and MCP know of the API, and it refuses to know how anything is done.
export * from './acme-server.ts';
export * from './apps.ts';
export * from './audit.ts';
export * from './certificates.ts';
export * from './common.ts';
export * from './concierge.ts';
export * from './dns-credentials.ts';
export * from './domains.ts';
export * from './expose.ts';
export * from './imports.ts';
export * from './ingress.ts';
export * from './missions.ts';
export * from './networks.ts';
export * from './permissions.ts';
export * from './system.ts';
export * from './tokens.ts';
