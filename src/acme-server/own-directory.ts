import { Fault } from '../base/index.ts';
import type { AcmeServerDeps, UpstreamIssuers } from './services.ts';

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** Whether the directory is one of this server: an order that is passed on to it would come back. */
export function isOwnDirectory(directory: string, origins: readonly string[]): boolean {
  const url = URL.parse(directory);
  return (
    url !== null &&
    origins
      .map((origin) => URL.parse(origin))
      .some((own) => own !== null && own.port === url.port && [own.hostname, ...LOOPBACK].includes(url.hostname))
  );
}

/** Throws the `Fault` of an issuer that leads back to this server, or is none any more. */
export async function requireOtherCa(
  { origins }: Pick<AcmeServerDeps, 'origins'>,
  upstream: UpstreamIssuers,
  issuerId: string,
): Promise<void> {
  const directory = await upstream.directoryOf(issuerId);
  if (directory === undefined || !isOwnDirectory(directory, origins())) return;
  throw new Fault({
    code: 'issuer_is_this_server',
    detail: `${issuerId} is this ACME server itself, so its orders would come back`,
    party: 'operator',
    retry: 'never',
    advice: 'leave issuer out: then our own CA issues',
  });
}
