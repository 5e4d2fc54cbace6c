import type { MissionApprovalRow, Standing } from '../store/missions.ts';

/** Why two standings may be one person. */
export type Tie =
  /** The same token, the same sign-in, or two that belong to one person. */
  | 'same'
  /** One of them made the other's token, or the token that made it, and so on. */
  | 'made'
  /** A token that somebody in the asker's line made after the proposal. */
  | 'made_since';

/**
 * Whether one person may be behind both. Whoever makes a token can keep it, so a token is never independent of those who
 * made it. Tokens that a third one made before there was anything to approve, for two people, are two people.
 */
export function tieBetween(asker: Standing, approver: Standing, proposedAt: number): Tie | undefined {
  if (asker.actor === approver.actor || meet(asker.persons, approver.persons)) return 'same';
  const made = (maker: Standing, of: Standing) => of.makers.some(({ persons }) => meet(persons, maker.persons));
  if (made(asker, approver) || made(approver, asker)) return 'made';
  const line = [asker.persons, ...asker.makers.map(({ persons }) => persons)].flat();
  const since = approver.makers.some(({ persons, at }) => at >= proposedAt && meet(persons, line));
  return since ? 'made_since' : undefined;
}

const meet = (some: readonly string[], others: readonly string[]): boolean =>
  some.some((person) => others.includes(person));

/** Whom the provider of OpenID vouched for; nobody with `tokens.manage` can make such a one. */
export const isVouchedFor = ({ persons }: Standing): boolean => persons.some((person) => person.startsWith('openid:'));

/** For records from before standings were kept. */
export const bareStanding = (actor: string): Standing => ({ actor, name: actor, persons: [actor], makers: [] });

export const approverOf = ({ by_actor, approver }: MissionApprovalRow): Standing =>
  approver === null ? bareStanding(by_actor) : (JSON.parse(approver) as Standing);
