import { type Clock, errorText, type Logger } from '../base/index.ts';
import type { OpenChallenge } from '../picture/index.ts';
import type { Sealer } from '../secrets/index.ts';
import type { Store } from '../store/index.ts';
import {
  foreignChallenges,
  keepChallengeReplica,
  noteChallengesSeen,
  putOpenChallenge,
  removeChallengeReplica,
  removeOpenChallenge,
  replicasWithout,
} from '../store/open-challenges.ts';
import type { ChallengePresenter } from './presenter.ts';

/** The edge of this process: what is put is answered at the next request. */
export interface OwnEdge {
  put(challenge: OpenChallenge): void;
  remove(challenge: OpenChallenge): void;
}

/** How often the challenges of other replicas are looked for. */
const LOOK_EVERY_MS = 150;
/** How often it is looked whether the others have one of ours. */
const AWAIT_EVERY_MS = 25;
/** A replica that hangs keeps an order waiting this long, and no longer: the CA may look elsewhere. */
const AWAIT_MS = 3_000;
const HEARTBEAT_MS = 5_000;
const ALIVE_MS = 15_000;

const context = ({ type, label }: { type: string; label: string }) => `open-challenge/${type}/${label}`;
const labelled = (challenge: OpenChallenge) => ({
  type: challenge.type,
  label: challenge.type === 'http-01' ? challenge.token : challenge.serverName,
});

/**
 * Challenges that the edge of every replica answers, since a CA comes through a balancer: each is kept in the store,
 * copied by the others, and said to be ready when all that are alive have it.
 */
export function createSharedPresenter(deps: {
  readonly store: Store;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly log: Logger;
  readonly edge: OwnEdge;
  /** Name of this process among those that share the store. */
  readonly replica: string;
}): ChallengePresenter & {
  /** Copies what others present, until the signal. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
} {
  const { store, sealer, clock, log, edge, replica } = deps;
  const copied = new Map<string, OpenChallenge>();

  async function awaitOthers(challenge: OpenChallenge): Promise<void> {
    const until = clock.now() + AWAIT_MS;
    for (;;) {
      const without = await replicasWithout(store.db, labelled(challenge), replica, clock.now());
      if (without.length === 0) return;
      if (clock.now() >= until)
        return log.warn({ replicas: without, ...labelled(challenge) }, 'replicas that do not take up a challenge');
      await clock.sleep(AWAIT_EVERY_MS);
    }
  }

  async function copy(): Promise<void> {
    const rows = await foreignChallenges(store.db, replica, clock.now());
    const there = new Set(rows.map(context));
    for (const [key, challenge] of copied)
      if (!there.has(key)) {
        edge.remove(challenge);
        copied.delete(key);
      }
    const fresh = rows.filter((row) => !copied.has(context(row)));
    for (const row of fresh) {
      const challenge = JSON.parse(Buffer.from(sealer.open(row.body, context(row))).toString()) as OpenChallenge;
      edge.put(challenge);
      copied.set(context(row), challenge);
    }
    if (fresh.length > 0) await store.write((tx) => noteChallengesSeen(tx, replica, fresh));
  }

  return {
    async present(challenge) {
      edge.put(challenge);
      const at = labelled(challenge);
      const body = sealer.seal(Buffer.from(JSON.stringify(challenge)), context(at));
      await store.write((tx) => putOpenChallenge(tx, { ...at, replica, body, expires_at: challenge.expiresAt }));
      await awaitOthers(challenge);
      return async () => {
        edge.remove(challenge);
        await store.write((tx) => removeOpenChallenge(tx, at));
      };
    },
    async run(signal) {
      let beat = Number.NEGATIVE_INFINITY;
      while (!signal.aborted) {
        try {
          const now = clock.now();
          if (now - beat >= HEARTBEAT_MS || now < beat) {
            await store.write((tx) => keepChallengeReplica(tx, replica, now + ALIVE_MS, now));
            beat = now;
          }
          await copy();
        } catch (error) {
          log.warn({ problem: errorText(error) }, 'challenges of other replicas could not be looked for');
        }
        await clock.sleep(LOOK_EVERY_MS, signal).catch(() => {});
      }
      await store.write((tx) => removeChallengeReplica(tx, replica)).catch(() => {});
    },
  };
}
