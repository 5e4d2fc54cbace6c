export interface Places {
  readonly api: string;
  readonly console: string;
  readonly acme_directory: string;
  readonly ca_root_file: string;
  readonly edge_https: string;
  readonly edge_http: string;
  readonly admin_token?: string;
}

/** What a person reads when everything serves: where things are, and what to type next. */
export function greeting(places: Places, colour: boolean): string {
  const bold = (text: string) => (colour ? `\u001b[1m${text}\u001b[22m` : text);
  const port = new URL(places.edge_https).port;
  const lines = [
    '',
    bold('Gatehouse serves.'),
    '',
    `  Console         ${places.console}`,
    `  API             ${places.api}/api/v1`,
    `  ACME directory  ${places.acme_directory}`,
    `  CA root         ${places.ca_root_file}`,
    `  Edge            ${places.edge_https} and ${places.edge_http}`,
    '',
  ];
  if (places.admin_token !== undefined)
    lines.push(
      'This is the first start. Sign in to the console with this token; it is shown only now:',
      '',
      `  ${bold(places.admin_token)}`,
      '',
    );
  lines.push(
    'Next, in another terminal:',
    '',
    '  npx gatehouse apps create shop --upstream http://127.0.0.1:3000',
    '  npx gatehouse domains add shop.localhost --app shop',
    `  curl --cacert "$(npx gatehouse ca root --path)" https://shop.localhost:${port}/`,
    '',
    'Ctrl-C ends it; the next start finds everything as it was.',
    '',
  );
  return `${lines.join('\n')}\n`;
}
