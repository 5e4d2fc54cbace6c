import { ariCertificateId, problemTypeOf } from '../../acme/index.ts';
import { type AcmeAccount, accountOf, createAcmeClient, obtainCertificate } from '../../acme-client/index.ts';
import { type Clock, Fault, type Logger } from '../../base/index.ts';
import type { CacheDirectory, Issuance, PlannedAcme, Present } from '../../edge/index.ts';
import { createHttp01Solver, createTlsAlpn01Solver } from '../../solvers/index.ts';
import { generateKey, keyPem, parseChain, parsePrivateKey } from '../../x509/index.ts';

/** An ACME listener's way to its CA: account in its cache, challenges shown by its own workers. */
export function createAcmeIssuance(
  acme: PlannedAcme,
  cache: CacheDirectory,
  present: Present,
  { clock, log }: { clock: Clock; log: Logger },
): Issuance {
  const { directory, ca: caPem } = acme;
  const client = createAcmeClient({ directory, clock, ...(caPem !== undefined && { caPem }) });
  const alpn = createTlsAlpn01Solver({ present }, clock);
  const http = createHttp01Solver({ present });
  const solvers = { auto: [alpn, http], 'tls-alpn-01': [alpn], 'http-01': [http] }[acme.challenge];
  let account: AcmeAccount | undefined;

  const registered = async (signal: AbortSignal): Promise<AcmeAccount> => {
    const saved = cache.account();
    if (saved?.url !== undefined && saved.directory === directory)
      return accountOf(saved.url, parsePrivateKey(saved.key));
    // The key first: an account whose key is lost with a crash would count against the CA's limit for nothing.
    const reusable = saved !== undefined && (saved.directory === undefined || saved.directory === directory);
    const key = reusable ? parsePrivateKey(saved.key) : await generateKey('ec-p256');
    cache.saveAccount({ key: keyPem(key), directory });
    const eab = acme.eab && { kid: acme.eab.kid, hmacKey: Buffer.from(acme.eab.hmac, 'base64url') };
    const contact = acme.contact === undefined ? [] : [acme.contact];
    const made = await client.register(key, { contact, ...(eab && { eab }) }, signal);
    cache.saveAccount({ key: keyPem(key), url: made.url, directory });
    return made;
  };
  const certificateId = (chain: string) => {
    const { leaf } = parseChain(chain);
    return leaf.authorityKeyIdentifier && ariCertificateId(leaf.authorityKeyIdentifier, leaf.serial);
  };

  /** A CA that was set up anew knows no account of ours; the key makes one again. */
  const withAccount = async <T>(signal: AbortSignal, work: (account: AcmeAccount) => Promise<T>): Promise<T> => {
    account ??= await registered(signal);
    try {
      return await work(account);
    } catch (error) {
      if (!(error instanceof Fault) || problemTypeOf(error.code) !== 'accountDoesNotExist') throw error;
      cache.saveAccount({ key: keyPem(account.key), directory });
      account = await registered(signal);
      return work(account);
    }
  };

  return {
    async obtain({ names, key, replaces, resume, onOrder, signal }) {
      const replaced = replaces === undefined ? undefined : certificateId(replaces);
      const offersRenewalInfo = (await client.directory(signal)).renewalInfo !== undefined;
      const order = (known: AcmeAccount) =>
        obtainCertificate({
          client,
          account: known,
          names,
          key,
          solvers,
          ...(acme.profile !== undefined && { profile: acme.profile }),
          ...(replaced !== undefined && offersRenewalInfo && { replaces: replaced }),
          ...(resume !== undefined && { resume }),
          signal,
          onStep(step) {
            log.info({ names, step: step.kind, challenge: step.type }, step.words);
            if (step.kind === 'order' && step.url !== undefined) onOrder(step.url);
          },
        });
      const { chain } = await withAccount(signal, order);
      return chain.pem;
    },
    async renewalWindow(chain, signal) {
      const id = certificateId(chain);
      return id === undefined ? undefined : client.renewalInfo(id, signal);
    },
    close: () => client.close(),
  };
}
