import ipaddr from 'ipaddr.js';

// Names under which the networks publish their customers' aliases, and ranges that they document as their own.
const BY_ALIAS: readonly (readonly [suffix: string, name: string])[] = [
  ['.cdn.cloudflare.net', 'Cloudflare'],
  ['.cloudfront.net', 'Amazon CloudFront'],
  ['.fastly.net', 'Fastly'],
  ['.fastlylb.net', 'Fastly'],
  ['.edgekey.net', 'Akamai'],
  ['.edgesuite.net', 'Akamai'],
  ['.akamaiedge.net', 'Akamai'],
  ['.azureedge.net', 'Azure CDN'],
  ['.azurefd.net', 'Azure Front Door'],
  ['.b-cdn.net', 'bunny.net'],
  ['.vercel-dns.com', 'Vercel'],
  ['.netlify.app', 'Netlify'],
];

const BY_RANGE: readonly (readonly [cidr: string, name: string])[] = [
  ['173.245.48.0/20', 'Cloudflare'],
  ['103.21.244.0/22', 'Cloudflare'],
  ['103.22.200.0/22', 'Cloudflare'],
  ['103.31.4.0/22', 'Cloudflare'],
  ['141.101.64.0/18', 'Cloudflare'],
  ['108.162.192.0/18', 'Cloudflare'],
  ['190.93.240.0/20', 'Cloudflare'],
  ['188.114.96.0/20', 'Cloudflare'],
  ['197.234.240.0/22', 'Cloudflare'],
  ['198.41.128.0/17', 'Cloudflare'],
  ['162.158.0.0/15', 'Cloudflare'],
  ['104.16.0.0/13', 'Cloudflare'],
  ['104.24.0.0/14', 'Cloudflare'],
  ['172.64.0.0/13', 'Cloudflare'],
  ['131.0.72.0/22', 'Cloudflare'],
  ['2606:4700::/32', 'Cloudflare'],
  ['2a06:98c0::/29', 'Cloudflare'],
  ['151.101.0.0/16', 'Fastly'],
  ['199.232.0.0/16', 'Fastly'],
  ['2a04:4e40::/32', 'Fastly'],
];

/** The content delivery network that aliases or addresses belong to, if it is a known one. */
export function cdnOf(aliases: readonly string[], addresses: readonly string[]): string | undefined {
  for (const alias of aliases) {
    const known = BY_ALIAS.find(([suffix]) => alias.endsWith(suffix));
    if (known !== undefined) return known[1];
  }
  for (const text of addresses) {
    if (!ipaddr.isValid(text)) continue;
    const address = ipaddr.process(text);
    const known = BY_RANGE.find(([cidr]) => {
      const [range, bits] = ipaddr.parseCIDR(cidr);
      return range.kind() === address.kind() && address.match(range, bits);
    });
    if (known !== undefined) return known[1];
  }
  return undefined;
}
