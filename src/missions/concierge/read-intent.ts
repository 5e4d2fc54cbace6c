export type Intent = 'expose' | 'unexpose' | 'approve' | 'refuse' | 'help';

const STOP_EXPOSING =
  /\b(un-?expose|un-?publish|withdraw|take (?:\S+ )?(?:down|offline|off)|stop (?:exposing|publishing|serving)|no longer (?:be )?(?:reachable|public|exposed|available)|(?:make|turn|keep) \S+ (?:private|internal)|hide|remove \S+ from the (?:public )?(?:internet|web)|close \S+ to the (?:internet|world|public)|unreachable)\b/i;
const EXPOSE =
  /\b(expose|publish|make \S+(?: \S+){0,6} (?:reachable|public|available|accessible|visible)|(?:reachable|accessible|available|visible) (?:from|on|over|to) the (?:public )?(?:internet|web|world|outside)|open (?:up )?\S+(?: \S+){0,4} to the (?:internet|world|public)|put (?:\S+ ){1,6}(?:online|on the (?:internet|web))|bring \S+ online|go public with|front \S+ with|give \S+ (?:a )?public (?:endpoint|address|url)|let (?:people|clients|customers|the (?:internet|world)) (?:reach|use|see))\b/i;
const NEGATED =
  /\b(?:do not|don['’]t|never|must not|should not|shouldn['’]t|please no)\b[^.;!?]{0,40}\b(?:expose|publish|make|open|put)\b/i;
const KEPT =
  /\b(?:do not|don['’]t|never|must not|should not|shouldn['’]t|please no)\b[^.;!?]{0,40}\b(?:un-?expose|un-?publish|withdraw|take|stop|hide|remove|close)\b/i;
const APPROVE =
  /^\s*(?:yes[,.! ]*)?(?:please )?(?:approve|approved|go ahead|run it|do it|execute|confirm|ok(?:ay)? go|ship it)\b/i;
const HELP = /^\s*(?:help|hello|hi|hey|what can you do|how does this work|\?)\b/i;

/** What somebody wants, from the words alone. Nothing that is read here can do more than propose. */
export function readIntent(text: string): Intent | undefined {
  if (APPROVE.test(text)) return 'approve';
  if (KEPT.test(text)) return 'refuse';
  if (STOP_EXPOSING.test(text)) return 'unexpose';
  if (NEGATED.test(text)) return 'refuse';
  if (EXPOSE.test(text)) return 'expose';
  return HELP.test(text) ? 'help' : undefined;
}
