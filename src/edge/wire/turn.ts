/** Something that has gathered output and wants to write it once, after everything of this turn has come in. */
export interface Gathering {
  flushTurn(): void;
}

let due: Gathering[] = [];

/** Calls `flushTurn` after the present round of input: in the check phase, which follows all that poll brought. */
export function atTurnEnd(gathering: Gathering): void {
  if (due.length === 0) setImmediate(flushAll);
  due.push(gathering);
}

function flushAll(): void {
  const now = due;
  due = [];
  for (const gathering of now) gathering.flushTurn();
}
