import type { Db } from '../store/index.ts';
import type { Standing } from '../store/missions.ts';
import { type TokenRow, tokenById } from '../store/tokens.ts';
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
    name: own === undefined ? actor.name.replace(/^user:/, '') : named(own, chain),
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

/** The token that an actor uses, the one with which that was made, and so on. */
async function tokenChain(db: Db, actor: string): Promise<TokenRow[]> {
  const chain: TokenRow[] = [];
  for (let name = actor; name.startsWith('token:') && chain.length < LONGEST_CHAIN; ) {
    const row = await tokenById(db, name.slice('token:'.length));
    if (row === undefined) break;
    chain.push(row);
    name = row.created_by;
  }
  return chain;
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
