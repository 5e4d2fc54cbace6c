import { Button } from 'react-aria-components';
import type { Enrolment, Peer } from '../../api/documents.ts';
import { useChange } from '../../api/hooks.ts';
import { CopyLine } from '../../components/copy.tsx';
import { Overlay } from '../../components/dialog.tsx';
import { FormProblem } from '../../components/form.tsx';
import { Time } from '../../components/time.tsx';

/** Shows, once, the command with which the peer's agent joins. */
export function Enrol({ peer }: { peer: Peer }) {
  const enrol = useChange<Enrolment>();
  return (
    <>
      <Button
        className="button small"
        isDisabled={enrol.isPending}
        onPress={() => enrol.mutate({ method: 'POST', path: `/system/sdwan/peers/${peer.id}/enrol` })}
      >
        {peer.agent === null ? 'Enrol' : 'Enrol again'}
      </Button>
      <FormProblem problem={enrol.error} />
      {enrol.data !== undefined && (
        <Overlay title={`Enrol the agent of ${peer.name}`} open onClose={enrol.reset}>
          <p>Run this on {peer.name}. The token works once and is not shown again.</p>
          <CopyLine text={enrol.data.command} label="command" />
          <p className="quiet">
            It ends <Time at={enrol.data.expires_at} />.
          </p>
          <Button className="button primary" onPress={enrol.reset}>
            I have it
          </Button>
        </Overlay>
      )}
    </>
  );
}
