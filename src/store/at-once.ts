// What PostgreSQL says to every statement of a transaction in which one has failed.
const AFTER_A_FAILURE = '25P02';

type Values<Work extends readonly Promise<unknown>[]> = { -readonly [Index in keyof Work]: Awaited<Work[Index]> };

/**
 * Statements of one write that need not wait for each other's answers: PostgreSQL gets them in one go, in their order.
 * Throws the first failure, in that order, when all have ended, so that none runs on after the write was undone.
 */
export async function atOnce<const Work extends readonly Promise<unknown>[]>(...work: Work): Promise<Values<Work>> {
  const outcomes = await Promise.allSettled(work);
  const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome] : []));
  const first = failures.find(({ reason }) => (reason as { code?: string }).code !== AFTER_A_FAILURE) ?? failures[0];
  if (first !== undefined) throw first.reason;
  return outcomes.map((outcome) => (outcome as PromiseFulfilledResult<unknown>).value) as Values<Work>;
}
