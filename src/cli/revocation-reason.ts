import { InvalidArgumentError, Option } from 'commander';
import { REVOCATION_REASONS } from '../contract/index.ts';

/** `--reason`, in our words or as RFC 5280 §5.3.1 writes them: `key-compromise` and `keyCompromise` are the same. */
export const reasonOption = (): Option =>
  new Option('--reason <reason>', `why: ${REVOCATION_REASONS.join(', ')}`)
    .argParser((text) => {
      const reason = text.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      if ((REVOCATION_REASONS as readonly string[]).includes(reason)) return reason;
      throw new InvalidArgumentError(`Allowed are ${REVOCATION_REASONS.join(', ')}.`);
    })
    .default('unspecified');
