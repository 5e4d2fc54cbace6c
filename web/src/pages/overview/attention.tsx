import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { Certificate, SystemStatus } from '../../api/documents.ts';
import { Status } from '../../components/status.tsx';
import { Time } from '../../components/time.tsx';

const SHOWN = 8;
/** States of a domain's DNS in which its owner has something to do. */
const UNSET = ['missing', 'elsewhere', 'unanswered'];

/** Everything that waits for a person, in the order in which it hurts. */
export function Attention({ status }: { status: SystemStatus }) {
  const { needs_attention: failing, publishers, edge } = status;
  const unset = UNSET.reduce((sum, state) => sum + (status.domains.by_dns[state] ?? 0), 0);
  const items: ReactNode[] = [];
  if (edge !== null && edge.workers === 0)
    items.push(
      <Item key="edge" tone="bad" title="No edge worker serves">
        <span>Visitors get no answer. The supervisor starts workers again by itself; its log says why they end.</span>
      </Item>,
    );
  if (status.missions_waiting > 0)
    items.push(
      <Item
        key="missions"
        tone="warn"
        href="/app/missions"
        title={`${many(status.missions_waiting, 'mission')} to decide`}
      >
        <span>Nothing of it happens before somebody approves.</span>
      </Item>,
    );
  for (const { detail, advice } of status.ca_findings)
    items.push(
      <Item key={`ca ${detail}`} tone="bad" title="The certificate authority">
        <span>{detail}</span>
        <span>What to do: {advice}</span>
      </Item>,
    );
  for (const { name, problem, pending } of publishers.filter((publisher) => publisher.problem !== null))
    items.push(
      <Item
        key={`publisher ${name}`}
        tone="bad"
        href="/app/system/ingress/routes"
        title={`${name} does not take changes`}
      >
        <span>
          {problem?.detail} ({many(pending, 'item')} waiting)
        </span>
        {problem?.advice != null && <span>What to do: {problem.advice}</span>}
      </Item>,
    );
  for (const certificate of failing.slice(0, SHOWN))
    items.push(<Failing key={certificate.id} certificate={certificate} />);
  if (failing.length > SHOWN)
    items.push(
      <Item key="more" tone="bad" href="/app/system/acme/certificates?status=failed" title="And more certificates" />,
    );
  for (const finding of status.findings.slice(0, SHOWN))
    items.push(
      <Item
        key={`seen ${finding.publisher} ${finding.name} ${finding.kind}`}
        tone="bad"
        href={`/app/system/acme/certificates/${finding.certificate_id}`}
        title={`${finding.name} at ${finding.publisher}`}
      >
        <span>
          {finding.detail}, since <Time at={finding.since} />
        </span>
        <span>What to do: {finding.advice}</span>
      </Item>,
    );
  if (unset > 0)
    items.push(
      <Item
        key="dns"
        tone="warn"
        href="/app/domains?status=pending"
        title={`${many(unset, 'domain')} not pointing here`}
      >
        <span>Their owners have a record to set; each page says which. They are looked at again by themselves.</span>
      </Item>,
    );
  if (items.length === 0)
    return (
      <div className="notice good">
        <strong>Nothing needs you.</strong>
        <span>Every certificate is good or on its way.</span>
      </div>
    );
  return (
    <section className="attention" aria-label="Needs a person">
      {items}
    </section>
  );
}

function Failing({ certificate: { id, names, status, why } }: { certificate: Certificate }) {
  return (
    <Item
      tone="bad"
      href={`/app/system/acme/certificates/${id}`}
      title={names.join(', ')}
      mark={<Status word={status} />}
    >
      <span>{why.problem?.detail ?? why.summary}</span>
      {why.advice !== null && <span>What to do: {why.advice}</span>}
      {why.next_attempt_at !== null && (
        <span className="quiet">
          Tried again <Time at={why.next_attempt_at} />
          {why.attempts > 0 && `, after ${many(why.attempts, 'attempt')}`}
        </span>
      )}
    </Item>
  );
}

interface ItemProps {
  readonly tone: 'bad' | 'warn';
  readonly title: string;
  readonly href?: string;
  readonly mark?: ReactNode;
  readonly children?: ReactNode;
}

function Item({ tone, title, href, mark, children }: ItemProps) {
  return (
    <div className={`notice ${tone}`}>
      <div className="actions">
        {href === undefined ? (
          <strong>{title}</strong>
        ) : (
          <Link href={href}>
            <strong>{title}</strong>
          </Link>
        )}
        {mark}
      </div>
      {children}
    </div>
  );
}

const many = (count: number, noun: string) => `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
