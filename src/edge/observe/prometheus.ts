import { labelText } from '../../base/index.ts';
import { LATENCY_BOUNDS, type Samples } from './series.ts';

const HELP: Readonly<Record<string, string>> = {
  gatehouse_edge_requests_total: 'Requests by listener, protocol and status.',
  gatehouse_edge_request_bytes_total: 'Bytes of request bodies.',
  gatehouse_edge_response_bytes_total: 'Bytes of answers.',
  gatehouse_edge_request_duration_seconds: 'From the first byte of a request to the last of its answer.',
  gatehouse_edge_connections: 'Open connections by listener.',
  gatehouse_edge_connections_total: 'Accepted connections by listener.',
  gatehouse_edge_handshakes_total: 'Completed TLS handshakes by version, group and resumption.',
  gatehouse_edge_handshakes_failed_total: 'Handshakes that failed or were refused, by reason.',
  gatehouse_edge_refused_total: 'Connections and requests turned away by a limit.',
  gatehouse_edge_upstream_healthy: 'Workers for which an upstream is healthy.',
  gatehouse_edge_certificate_days_left: 'Days until a served certificate ends.',
  gatehouse_edge_certificates: 'Certificates that may be served.',
  gatehouse_edge_worker_resident_bytes: 'Resident memory of a worker.',
  gatehouse_edge_workers: 'Worker processes by state.',
};

/** Text exposition format 0.0.4. */
export function renderPrometheus({ counters, gauges, histograms }: Samples): string {
  const lines: string[] = [];
  let last = '';
  const head = (name: string, type: string) => {
    if (name === last) return;
    last = name;
    lines.push(`# HELP ${name} ${HELP[name] ?? name}`, `# TYPE ${name} ${type}`);
  };
  const byName = <S extends { name: string }>(samples: readonly S[]) =>
    [...samples].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  for (const { name, labels, value } of byName(counters)) {
    head(name, 'counter');
    lines.push(`${name}${labelText(labels)} ${value}`);
  }
  for (const { name, labels, value } of byName(gauges)) {
    head(name, 'gauge');
    lines.push(`${name}${labelText(labels)} ${value}`);
  }
  for (const { name, labels, counts, sum } of byName(histograms)) {
    head(name, 'histogram');
    let total = 0;
    counts.forEach((count, i) => {
      total += count;
      const bound = LATENCY_BOUNDS[i] ?? '+Inf';
      lines.push(`${name}_bucket${labelText([...labels, ['le', String(bound)]])} ${total}`);
    });
    lines.push(`${name}_sum${labelText(labels)} ${sum}`, `${name}_count${labelText(labels)} ${total}`);
  }
  return `${lines.join('\n')}\n`;
}
