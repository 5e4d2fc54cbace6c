import { CommandFailure, EXIT } from './failure.ts';

/**
 * `a.b=1 a.c=x,y` as an object. A value that is JSON is taken as such, one with commas is a list of texts; any other is
 * a text.
 */
export function parseSettings(words: readonly string[]): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const word of words) {
    const equals = word.indexOf('=');
    const keys = word.slice(0, Math.max(0, equals)).split('.');
    if (equals <= 0 || keys.some((key) => !/^[a-z0-9_]+$/i.test(key) || key === '__proto__'))
      throw new CommandFailure(`${word} is not key=value`, { exitCode: EXIT.usage });
    let target = settings;
    for (const key of keys.slice(0, -1)) {
      const inner = Object.hasOwn(target, key) ? target[key] : {};
      target[key] = inner;
      target = inner as Record<string, unknown>;
    }
    target[keys.at(-1)!] = parseValue(word.slice(equals + 1));
  }
  return settings;
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text.includes(',') ? text.split(',') : text;
  }
}
