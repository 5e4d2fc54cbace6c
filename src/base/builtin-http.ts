/**
 * `node:http`, without what an ES import of it brings: that reads every export, and one of them loads a WebSocket client,
 * which is 8 MB and a tenth of a second in each process.
 */
export const http: typeof import('node:http') = process.getBuiltinModule('node:http');
