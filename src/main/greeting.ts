import { dirname } from 'node:path';

export interface Places {
  readonly api: string;
  readonly console: string;
  readonly acme_directory: string;
  readonly ca_root_file: string;
  readonly edge_https: string;
  readonly edge_http: string;
  readonly admin_token?: string;
}

export interface Reader {
  readonly colour: boolean;
  /** How the program is called here: `npx gatehouse` in a checkout. */
  readonly command: string;
  /** What is printed is kept, and read by others: no place for a token. */
  readonly journal: boolean;
}

/** What a person reads when everything serves: where things are, and what to type next. */
export function greeting(places: Places, { colour, command, journal }: Reader): string {
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
  if (places.admin_token !== undefined && journal)
    lines.push(
      'This is the first start. A token to sign in with, which this journal must not keep, is made by root with',
      '',
      `  ${command} tokens create admin --permission all --data-dir ${dirname(places.ca_root_file)}`,
      '',
    );
  else if (places.admin_token !== undefined)
    lines.push(
      'This is the first start. Sign in to the console with this token; it is shown only now:',
      '',
      `  ${bold(places.admin_token)}`,
      '',
    );
  lines.push(
    'Next, in another terminal:',
    '',
    `  ${command} apps create shop --upstream http://127.0.0.1:3000`,
    `  ${command} domains add shop.localhost --app shop`,
    `  curl --cacert "$(${command} ca root --path)" https://shop.localhost:${port}/`,
    '',
    'Ctrl-C ends it; the next start finds everything as it was.',
    '',
  );
  return `${lines.join('\n')}\n`;
}
