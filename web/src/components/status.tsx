type Tone = 'good' | 'warn' | 'bad' | 'busy' | 'idle';

/** Every status word of the product and how it looks; a word is never told by its colour alone. */
const TONES: Record<string, Tone> = {
  valid: 'good',
  issued: 'good',
  succeeded: 'good',
  configured: 'good',
  proved: 'good',
  delivered: 'good',
  serving: 'good',
  active: 'good',
  local: 'good',
  live: 'good',
  ready: 'good',
  bound: 'good',
  processing: 'busy',
  unused: 'idle',
  invalid: 'bad',
  done: 'good',
  issuing: 'busy',
  renewing: 'busy',
  running: 'busy',
  approved: 'busy',
  pending: 'warn',
  proposed: 'warn',
  unproved: 'warn',
  elsewhere: 'warn',
  missing: 'warn',
  unanswered: 'warn',
  expired: 'bad',
  failed: 'bad',
  revoked: 'bad',
  rejected: 'bad',
  refused: 'bad',
  lapsed: 'bad',
  deactivated: 'bad',
};

export function Status({ word }: { word: string }) {
  return <span className={`pill ${TONES[word] ?? 'idle'}`}>{word}</span>;
}

/** On everything that came from a directory for trying: browsers do not trust it. */
export function StagingMark() {
  return (
    <span className="pill mark warn" title="Issued by a staging CA: browsers do not trust it">
      STAGING
    </span>
  );
}
