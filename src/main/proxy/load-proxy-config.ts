import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Environment, Fault, type FaultDetails, faultOf, parsePlacedConfig } from '../../base/index.ts';
import { ProxyConfig, type ProxyPlan, planProxy } from '../../edge/index.ts';
import { readConfigFile } from '../config.ts';

export interface LoadedProxy {
  readonly config: ProxyConfig;
  readonly plan: ProxyPlan;
  /** `file:line:column` of a field. */
  place(field: string): string;
}

/** Reads, checks and plans; throws a `Fault` whose problems each begin with file, line and column. */
export function loadProxyConfig(file: string, env: Environment): LoadedProxy {
  const { config, place } = parsePlacedConfig(ProxyConfig, readConfigFile(file), file);
  try {
    const baseDir = dirname(resolve(file));
    const stateDir = config.state_dir === undefined ? stateDirectory(env) : resolve(baseDir, config.state_dir);
    return {
      config,
      place,
      plan: planProxy(config, { baseDir, stateDir, credentialsDir: env.CREDENTIALS_DIRECTORY, readText }),
    };
  } catch (error) {
    throw placed(faultOf(error), place);
  }
}

/** systemd says where (StateDirectory=); else where the rest of a person's data is (XDG Base Directory Specification). */
function stateDirectory(env: Environment): string {
  const given = env.STATE_DIRECTORY?.split(':')[0];
  if (given !== undefined && given !== '') return given;
  return resolve(env.XDG_DATA_HOME ?? resolve(env.HOME ?? '.', '.local', 'share'), 'gatehouse', 'proxy');
}

function readText(path: string, field: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const detail = `${field}: ${path} cannot be read: ${(error as Error).message}`;
    throw new Fault({ code: 'invalid_config', detail, party: 'operator', retry: 'never', field }, error);
  }
}

/** The same fault, with the place of each field before its words. */
export function placed(fault: Fault, place: (field: string) => string): Fault {
  const at = (details: FaultDetails): FaultDetails => ({
    ...details,
    detail: details.field === undefined ? details.detail : `${place(details.field)}: ${details.detail}`,
  });
  const problems = fault.details.problems?.map(at);
  const detail = problems === undefined ? at(fault.details).detail : problems.map((one) => one.detail).join('\n');
  return new Fault({ ...fault.details, detail, ...(problems && { problems }) }, fault);
}
