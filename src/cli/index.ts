// cli owns the words of the command line: a client of the HTTP API that knows its documents and nothing behind them.
// It refuses to open the store, and decides nothing that the API does not.
export { findConnection } from './connection.ts';
export { runCli } from './run.ts';
