import { Page } from '../../shell/page.tsx';

export default function Overview() {
  return (
    <Page title="Overview">
      <p />
    </Page>
  );
}
