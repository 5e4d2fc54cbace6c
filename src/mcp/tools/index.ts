import type { Tool } from '../tool.ts';
import { certificateTools } from './certificates.ts';
import { dnsTools } from './dns-credentials.ts';
import { composeTool, missionTools } from './missions.ts';
import { exposuresTool, networkTools, routesTool } from './network.ts';

/** Every tool. There is none that approves. */
export const TOOLS: readonly Tool[] = [
  ...missionTools,
  composeTool,
  routesTool,
  exposuresTool,
  ...certificateTools,
  ...dnsTools,
  ...networkTools,
];
