import { useState } from 'react';
import { Button } from 'react-aria-components';
import { Link } from 'wouter';
import type { Certificate } from '../../api/documents.ts';
import { useList } from '../../api/hooks.ts';
import { useMay } from '../../api/session.tsx';
import { Choice } from '../../components/choice.tsx';
import { useFilter } from '../../components/filter.ts';
import { Field } from '../../components/form.tsx';
import { Empty, Failure, Loading } from '../../components/states.tsx';
import { StagingMark, Status } from '../../components/status.tsx';
import { Time } from '../../components/time.tsx';
import { VirtualList } from '../../components/virtual-list.tsx';
import { Page, Tabs } from '../../shell/page.tsx';
import { NewCertificate } from './new-certificate.tsx';
import { ACME_TABS } from './tabs.ts';
import { UploadCertificate } from './upload-certificate.tsx';

const STATUSES = ['failed', 'expired', 'revoked', 'pending', 'issuing', 'renewing', 'valid'];

export function CertificateList() {
  const may = useMay('system.acme.manage');
  const [open, setOpen] = useState<'new' | 'upload'>();
  const [filter, change] = useFilter();
  const certificates = useList<Certificate>('/system/acme_certificates', {
    prefix: filter('name'),
    status: filter('status'),
  });
  const filtered = filter('name') !== '' || filter('status') !== '';
  return (
    <Page
      title="Certificates"
      lead="What is served, until when, and what comes next."
      actions={
        may && (
          <>
            <Button className="button" onPress={() => setOpen('upload')}>
              Bring your own
            </Button>
            <Button className="button primary" onPress={() => setOpen('new')}>
              Get a certificate
            </Button>
          </>
        )
      }
    >
      <Tabs label="ACME" tabs={ACME_TABS} />
      <div className="toolbar">
        <div className="grow">
          <Field label="Name begins with" value={filter('name')} onChange={(value) => change('name', value)} />
        </div>
        <Choice
          label="Status"
          value={filter('status')}
          onChange={(value) => change('status', value)}
          options={[{ id: '', title: 'Any status' }, ...STATUSES.map((id) => ({ id, title: id }))]}
        />
      </div>
      {certificates.error !== null && certificates.rows.length === 0 && (
        <Failure problem={certificates.error} retry={() => void certificates.refetch()} />
      )}
      {certificates.isPending && <Loading />}
      {certificates.isSuccess && certificates.rows.length === 0 && (
        <Empty title={filtered ? 'No certificate is like that' : 'No certificate yet'}>
          {!filtered && <p>Add a domain, and its certificate is here a moment later.</p>}
        </Empty>
      )}
      {certificates.rows.length > 0 && (
        <VirtualList
          label="Certificates"
          rows={certificates.rows}
          rowKey={(row) => row.id}
          columns="minmax(0, 2.4fr) minmax(92px, 0.7fr) minmax(0, 1.2fr) minmax(0, 0.9fr)"
          head={['Names', 'Status', 'Issuer', 'Ends']}
          more={certificates.hasNextPage ? () => void certificates.fetchNextPage() : undefined}
          render={(row) => (
            <>
              <Link href={`/certificates/${row.id}`}>
                {row.names[0]}
                {row.names.length > 1 && <span className="quiet"> and {row.names.length - 1} more</span>}
              </Link>
              <Status word={row.status} />
              <span className="narrow-hide">
                {row.served?.issuer_name ?? row.issuers.join(', ')} {row.served?.staging === true && <StagingMark />}
              </span>
              <span className="narrow-hide">
                <Time at={row.served?.not_after} />
              </span>
            </>
          )}
        />
      )}
      {open === 'new' && <NewCertificate onClose={() => setOpen(undefined)} />}
      {open === 'upload' && <UploadCertificate onClose={() => setOpen(undefined)} />}
    </Page>
  );
}
