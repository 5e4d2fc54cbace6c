import { createProblems, readInput } from '../base/index.ts';
import type { MissionKind } from '../missions/index.ts';

const MOST_AT_ONCE = 1000;

/** What revoking in bulk asks of the certificate engine. */
export interface RevocationPort {
  /** Undefined when there is none of that id. */
  get(
    id: string,
  ): Promise<{ readonly id: string; readonly names: readonly string[]; readonly revoked: boolean } | undefined>;
  revoke(id: string, reason: string, replace: boolean): Promise<void>;
}

/** Revokes several certificates; what is revoked is withdrawn everywhere at once, and cannot be given back. */
export function revokeCertificatesKind(certificates: RevocationPort, reasons: readonly string[]): MissionKind {
  return {
    kind: 'revoke_certificates',
    description: 'revoke several certificates at once',
    async plan(input) {
      const problems = createProblems();
      const read = readInput(input, problems);
      const ids = [...new Set(read.texts('certificate_ids', MOST_AT_ONCE) ?? [])].sort();
      const reason = read.choice('reason', reasons) ?? 'unspecified';
      const replace = read.flag('replace') ?? false;
      read.refuseOthers();
      if (ids.length === 0) problems.add('certificate_ids', 'required', 'certificate_ids is required: a list of ids');
      const views = await Promise.all(ids.map((id) => certificates.get(id)));
      for (const [index, id] of ids.entries())
        if (views[index] === undefined)
          problems.add('certificate_ids', 'certificate_not_found', `there is no certificate ${id}`);
      problems.throwIfAny();
      const names = views.flatMap((view) => view?.names ?? []);
      const shown = `${names.slice(0, 10).join(', ')}${names.length > 10 ? `, and ${names.length - 10} more names` : ''}`;
      const many = ids.length === 1 ? 'one certificate' : `${ids.length} certificates`;
      return {
        title: `Revoke ${many}`,
        inputs: { certificate_ids: ids, reason, replace },
        steps: [{ step: 'revoke', action: 'revoke', detail: `${many} (${reason}): ${shown}` }],
        warnings: [
          'a revocation cannot be undone, and the proxy stops serving these certificates at once',
          ...(replace ? [] : ['nothing replaces them: names without another certificate are without HTTPS']),
        ],
        resolved: { certificate_ids: ids, reason, replace },
      };
    },
    runners: [
      {
        step: 'revoke',
        async run({ plan: { resolved }, note, signal }) {
          const revoked: string[] = [];
          for (const id of resolved.certificate_ids as readonly string[]) {
            signal.throwIfAborted();
            // A run that goes on after a crash finds the first ones revoked already.
            if ((await certificates.get(id))?.revoked !== false) continue;
            await certificates.revoke(id, String(resolved.reason), resolved.replace === true);
            await note(`${id} is revoked`);
            revoked.push(id);
          }
          return { outputs: { revoked } };
        },
      },
    ],
    result: ({ resolved }) => ({ status: 'revoked', certificate_ids: resolved.certificate_ids ?? [] }),
  };
}
