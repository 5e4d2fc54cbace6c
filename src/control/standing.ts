import type { Db } from '../store/index.ts';
import type { Standing } from '../store/missions.ts';
import { type TokenRow, tokensByIds } from '../store/tokens.ts';
import type { Actor } from './actor.ts';

/** Tokens make tokens; a chain that is longer than this is nobody's work. */
const LONGEST_CHAIN = 100;

/** Whoever set this up has the first administrator's token, and that of the machine's own command line too. */
const INSTALLER = 'installer';

/** A person as tokens name them: case and spaces around do not make another one. */
export const personNamed = (name: string): string => `person:${name.trim().toLowerCase()}`;

/** Who an actor is, as far as it can be told, and who could hold their token. */
export async function standingOf(db: Db, actor: Pick<Actor, 'name' | 'persons'>): Promise<Standing> {
  const chain = await tokenChain(db, actor.name);
  const own = chain[0];
  return {
    actor: actor.name,
    name: nameOf(actor.name, chain),
    persons: own === undefined ? personsOf(actor) : personsOfToken(chain),
    makers: chain.flatMap((row, index) =>
      row.created_by === 'system' ? [] : { persons: makersOfToken(chain.slice(index)), at: row.created_at },
    ),
  };
}

/** Whose a token is, in words. */
export async function ownerOf(db: Db, row: TokenRow): Promise<string> {
  return owner([row, ...(await tokenChain(db, row.created_by))]);
}

/** What people call each of these actors; a query for each link of the longest chain, however many they are. */
export async function actorNames(db: Db, actors: readonly string[]): Promise<(actor: string) => string> {
  const tokens = await tokensBehind(db, actors);
  return (actor) => nameOf(actor, chainOf(tokens, actor));
}

const nameOf = (actor: string, chain: readonly TokenRow[]): string =>
  chain.length === 0 ? actor.replace(/^user:/, '') : named(chain[0]!, chain);

/** The token that an actor uses, the one with which that was made, and so on. */
async function tokenChain(db: Db, actor: string): Promise<TokenRow[]> {
  return chainOf(await tokensBehind(db, [actor]), actor);
}

const tokenIdOf = (actor: string) => (actor.startsWith('token:') ? actor.slice('token:'.length) : undefined);

function chainOf(tokens: ReadonlyMap<string, TokenRow>, actor: string): TokenRow[] {
  const chain: TokenRow[] = [];
  for (let name = actor; chain.length < LONGEST_CHAIN; ) {
    const row = tokens.get(tokenIdOf(name) ?? '');
    if (row === undefined) break;
    chain.push(row);
    name = row.created_by;
  }
  return chain;
}

/** By id: the tokens of these actors, those with which they were made, and so on. */
async function tokensBehind(db: Db, actors: readonly string[]): Promise<Map<string, TokenRow>> {
  const tokens = new Map<string, TokenRow>();
  let wanted = actors;
  for (let link = 0; link < LONGEST_CHAIN && wanted.length > 0; link++) {
    const ids = new Set(wanted.flatMap((actor) => tokenIdOf(actor) ?? []));
    const found = await tokensByIds(
      db,
      [...ids].filter((id) => !tokens.has(id)),
    );
    for (const row of found) tokens.set(row.id, row);
    wanted = found.map(({ created_by }) => created_by);
  }
  return tokens;
}

const personsOf = ({ name, persons }: Pick<Actor, 'name' | 'persons'>): readonly string[] =>
  persons ?? [name.startsWith('user:') ? personNamed(name.slice('user:'.length)) : name];

function personsOfToken(chain: readonly TokenRow[]): readonly string[] {
  const own = chain[0]!;
  if (own.belongs_to !== null) return [personNamed(own.belongs_to)];
  return own.created_by === 'system' ? [INSTALLER] : makersOfToken(chain);
}

function makersOfToken([own, ...before]: readonly TokenRow[]): readonly string[] {
  if (own!.maker_persons !== null) return JSON.parse(own!.maker_persons) as string[];
  return before.length > 0 ? personsOfToken(before) : personsOf({ name: own!.created_by });
}

const named = (own: TokenRow, chain: readonly TokenRow[]): string =>
  owner(chain) === own.name ? own.name : `${own.name} (${owner(chain)})`;

function owner(chain: readonly TokenRow[]): string {
  const one = chain.find(({ belongs_to }) => belongs_to !== null) ?? chain.at(-1)!;
  return one.belongs_to ?? (one.created_by === 'system' ? one.name : one.created_by.replace(/^user:/, ''));
}
