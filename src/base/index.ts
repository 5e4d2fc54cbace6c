// base owns what every room needs and no field knows: time, logging, ids, faults.
// It knows nothing of TLS, HTTP or storage, and imports no other room.
export { type Bell, createBell } from './bell.ts';
export { http } from './builtin-http.ts';
export { type Clock, createVirtualClock, systemClock, type VirtualClock } from './clock.ts';
export { type PlacedConfig, parseConfig, parsePlacedConfig } from './config-file.ts';
export { type CliFile, cliFile, dataDirectory, type Environment } from './data-dir.ts';
export { errorText, Fault, type FaultDetails, faultOf, type Party, type Retry } from './fault.ts';
export { fewRandomBytes, isId, newId, newSecret, sha256Hex } from './ids.ts';
export { type InputReader, readInput, type TextRule } from './input.ts';
export { createLogger, type Logger, type LogLevel, limitedLogger, silentLogger } from './log.ts';
export { createMetrics, labelText, type MetricKinds, type Metrics, type Readings } from './metrics.ts';
export { inUtc } from './moment.ts';
export { createProblems, type Problems } from './problems.ts';
