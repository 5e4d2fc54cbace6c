import { type Fault, faultOf } from '../../base/index.ts';
import { EXPOSE_FIELDS, type ExposeField } from '../../ingress/index.ts';
import type { Known } from './known.ts';
import { type Choice, nextQuestion, type Question } from './next-question.ts';
import { type Brief, type Fields, readAnswer, readBrief } from './read-brief.ts';
import type { Intent } from './read-intent.ts';

/** What a conversation has come to so far. */
export interface Draft {
  readonly intent?: Intent;
  readonly fields: Fields;
  /** The input that was asked for last. */
  readonly asks?: ExposeField;
  /** What was offered then, so that "the second one" can be understood. */
  readonly choices?: readonly Choice[];
}

export interface Reply {
  readonly draft: Draft;
  readonly text: string;
  readonly asks?: ExposeField;
  readonly choices: readonly Choice[];
  /** What to propose, when everything is there. */
  readonly proposal?: { readonly kind: string; readonly inputs: Readonly<Record<string, unknown>> };
}

const HELP =
  'Tell me what to make public, for example: make metrics.example.com reachable from the internet at port 8080. ' +
  'I ask for what lacks, and propose a mission. Nothing happens until somebody approves it. ' +
  'I can also take a service down: unexpose metrics.example.com.';

/** The concierge's answer to a message. Pure: it knows words and what there is, and cannot do anything. */
export function reply(draft: Draft, text: string, known: Known, hints: Fields = {}): Reply {
  const brief = readBrief(text, known);
  const intent = brief.intent ?? draft.intent;
  const say = (words: string, next: Draft = draft): Reply => ({ draft: next, text: words, choices: [] });
  if (brief.intent === 'approve')
    return say('I cannot approve anything: use the Approve button of the mission, or gatehouse missions approve.');
  if (brief.intent === 'refuse') return say('Nothing was proposed and nothing is done.', { fields: {} });
  if (brief.intent === 'unexpose') return replyUnexpose(brief, known);
  if (brief.intent === 'help' || (intent !== 'expose' && draft.asks === undefined)) return say(HELP);
  const fields = merge(draft, brief, text, known, hints);
  const understood = Object.keys(fields).some((key) => fields[key as ExposeField] !== draft.fields[key as ExposeField]);
  const { question, taken, fields: complete } = nextQuestion(fields, known);
  const guessed = Object.entries(hints).filter(
    ([field, value]) => fields[field as ExposeField] === value && draft.fields[field as ExposeField] !== value,
  );
  const words = [
    ...(guessed.length === 0
      ? []
      : [`A model read, so look at it: ${guessed.map((one) => one.join(': ')).join('; ')}.`]),
    ...(understood || draft.asks === undefined ? [] : [`I could not read that as ${describe(draft.asks)}.`]),
    ...(taken.length === 0 ? [] : [`Taken, since there is only one: ${taken.join('; ')}.`]),
  ];
  if (question !== undefined) return asking({ intent: 'expose', fields: complete }, question, words);
  return {
    draft: { intent: 'expose', fields: complete },
    text: words.join(' '),
    choices: [],
    proposal: { kind: 'expose_service_publicly', inputs: complete },
  };
}

/** After a proposal was refused: what is wrong, and the first of it asked for again. */
export function replyToProblems(draft: Draft, error: unknown, known: Known): Reply {
  const fault: Fault = faultOf(error);
  const problems = fault.details.problems ?? [fault.details];
  const wrong = problems.flatMap(({ field }) => (isField(field) ? field : []));
  const fields: Fields = { ...draft.fields };
  for (const field of wrong) delete fields[field];
  const words = problems.map(({ detail, advice }) => `${detail}${advice === undefined ? '' : ` (${advice})`}.`);
  const { question } = nextQuestion(fields, known);
  if (question === undefined || wrong.length === 0)
    return { draft: { intent: 'expose', fields }, text: words.join(' '), choices: [] };
  // The one answer that there is was the wrong one, so it is not taken again in silence.
  return asking({ intent: 'expose', fields }, question, words);
}

const isField = (field: string | undefined): field is ExposeField =>
  field !== undefined && Object.hasOwn(EXPOSE_FIELDS, field);

const describe = (field: ExposeField): string => EXPOSE_FIELDS[field].split(/[;,]/)[0]!;

function asking(draft: Draft, question: Question, words: readonly string[]): Reply {
  const { field, choices } = question;
  return {
    draft: { ...draft, asks: field, choices },
    text: [...words, question.text].join(' '),
    asks: field,
    choices,
  };
}

/** What was said now wins over what was said before; what the model saw fills what nobody said. */
function merge(draft: Draft, brief: Brief, text: string, known: Known, hints: Fields): Fields {
  const answer = draft.asks === undefined ? undefined : answerTo(draft, draft.asks, text, known);
  const merged: Fields = { ...hints, ...draft.fields, ...brief.fields };
  if (answer !== undefined) merged[answer.field] = answer.value;
  if (brief.fields.target_instance_id !== undefined || answer?.field === 'target_instance_id')
    delete merged.target_peer_id;
  else if (brief.fields.target_peer_id !== undefined || answer?.field === 'target_peer_id')
    delete merged.target_instance_id;
  return merged;
}

const ORDINALS = ['first', 'second', 'third', 'fourth', 'fifth'];

function answerTo(
  { choices = [] }: Draft,
  field: ExposeField,
  text: string,
  known: Known,
): { field: ExposeField; value: string | number } | undefined {
  const word = text.trim().toLowerCase().replace(/[.!]$/, '');
  const number = choices.length > 0 && /^#?\d$/.test(word) ? Number(word.replace('#', '')) : 0;
  const ordinal = ORDINALS.findIndex((name) => new RegExp(`\\b${name}\\b`).test(word)) + 1;
  const chosen =
    choices.find(({ value, label }) => value.toLowerCase() === word || label.toLowerCase() === word) ??
    choices[number - 1] ??
    choices[ordinal - 1] ??
    (choices.length > 0 && /^(?:yes|ok|okay|that one|sure|fine)$/.test(word) ? choices[0] : undefined);
  const value = chosen?.value ?? readAnswer(field, text, known);
  // One question asks for the service's place, and either of two inputs answers it.
  if (field === 'target_peer_id') {
    const instance =
      known.instances.find(({ id }) => id === value) ?? known.instances.find(({ name }) => name === word);
    if (instance !== undefined && !known.peers.some(({ id }) => id === value))
      return { field: 'target_instance_id', value: instance.id };
  }
  return value === undefined ? undefined : { field, value };
}

function replyUnexpose({ fields }: Brief, { exposed }: Known): Reply {
  const host = fields.service_hostname;
  if (host !== undefined)
    return {
      draft: { fields: {} },
      text: '',
      choices: [],
      proposal: { kind: 'unexpose_service', inputs: { service_hostname: host } },
    };
  const text = exposed.length === 0 ? 'Nothing is exposed.' : `Which one? Say: unexpose ${exposed[0]}.`;
  return {
    draft: { fields: {} },
    text,
    choices: exposed.map((value) => ({ value: `unexpose ${value}`, label: value })),
  };
}
