// What control asks of the engines. main adapts each engine to its port; a port that is absent answers "not part of
// this installation" and everything else goes on.
export type * from './acme-server.ts';
export type * from './certificates.ts';
export type * from './dns.ts';
export type * from './edge.ts';
export type * from './network.ts';
export type * from './publish.ts';
