import { Fault } from '../base/index.ts';
import type { StepContext, StepResult } from '../missions/index.ts';
import type { IngressDeps } from './deps.ts';
import { madeId } from './resolved.ts';

// A file provider is throttled to two seconds and an HTTP provider is polled every five; this is many of those.
const MOST_WAIT_MS = 60_000;
const LOOK_EVERY_MS = 500;

/** Publishes the route and the certificate, and waits until every publisher has them. Hard. */
export async function composeProxy(deps: IngressDeps, context: StepContext): Promise<StepResult> {
  const exposureId = madeId(context, 'virtual_ip', 'exposure_id');
  const publishers = await composeUntilDelivered(deps, exposureId, context.signal);
  // One that a run before this got, when the proxy ended TLS.
  if (context.made.certificate === undefined) await deps.certificates.release(`exposure:${exposureId}`);
  return { outputs: { publishers: [...publishers] } };
}

export async function composeUntilDelivered(
  { clock, publish }: Pick<IngressDeps, 'clock' | 'publish'>,
  exposureId: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const deadline = clock.now() + MOST_WAIT_MS;
  for (;;) {
    const deliveries = await publish.compose(exposureId);
    const waiting = deliveries.filter(({ delivered }) => !delivered);
    if (waiting.length === 0) return deliveries.map(({ publisher }) => publisher);
    if (clock.now() >= deadline) {
      const words = waiting.map(
        ({ publisher, problem }) => `${publisher}${problem === undefined ? '' : ` (${problem})`}`,
      );
      throw new Fault({
        code: 'not_published',
        detail: `the route was not delivered to ${words.join(', ')}`,
        party: 'us',
        retry: 'backoff',
        advice: 'see that the place it is published to can be written; then propose the same again',
      });
    }
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
}
