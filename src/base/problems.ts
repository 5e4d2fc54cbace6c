import { Fault, type FaultDetails } from './fault.ts';

/** Gathers what is wrong with an input, so that a person hears of everything at once. */
export interface Problems {
  add(field: string, code: string, detail: string, advice?: string): void;
  readonly found: readonly FaultDetails[];
  /** Throws one `Fault` of status 422 (or `status`) with everything in `problems`, when anything was added. */
  throwIfAny(status?: number): void;
}

export function createProblems(): Problems {
  const found: FaultDetails[] = [];
  return {
    found,
    add(field, code, detail, advice) {
      found.push({ code, detail, party: 'client', retry: 'never', field, ...(advice !== undefined && { advice }) });
    },
    throwIfAny(status = 422) {
      const [first, ...others] = found;
      if (first === undefined) return;
      if (others.length === 0) throw new Fault({ ...first, status, problems: found });
      throw new Fault({
        code: 'invalid_input',
        detail: `${found.length} inputs are wrong: ${found.map(({ field, detail }) => `${field}: ${detail}`).join('; ')}`,
        party: 'client',
        retry: 'never',
        status,
        problems: found,
      });
    },
  };
}
