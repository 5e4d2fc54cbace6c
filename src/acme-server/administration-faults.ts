import { Fault } from '../base/index.ts';

export function fail(code: string, status: number, detail: string): never {
  throw new Fault({ code, detail, party: 'client', retry: 'never', status });
}

export const wrongField = (field: string, why: string): Fault =>
  new Fault({
    code: 'invalid_profile',
    detail: `${field} ${why}`,
    party: 'client',
    retry: 'never',
    status: 422,
    field,
  });
