/** The way in: sign in, sign up, and the link of an invite. Whoever is let in comes to the page anew, with his session. */
import '../style/settings.css';
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { getDoor, joinBy, signIn, signUp, type Door as Said } from '../api/accounts';
import { getSession } from '../api/endpoints';
import { nextPath } from '../model/door';
import { ActingForm } from '../widgets/acting-form';
import { Field, NewPassword } from '../widgets/field';

export function Door() {
  const [said, setSaid] = useState<Said | null>(null);
  useEffect(() => {
    getDoor(AbortSignal.timeout(10_000)).then(setSaid, () => undefined);
  }, []);
  const invite = /^\/invite\/([^/]+)\/?$/.exec(location.pathname)?.[1];
  if (invite !== undefined) {
    const token = decodeURIComponent(invite);
    return said?.signed_in === true ? <Join invite={token} /> : <SignUp invite={token} />;
  }
  if (!location.pathname.startsWith('/signup')) return <SignIn mayJoin={said?.signup_allowed === true} />;
  return said?.signup_allowed === false ? <Closed /> : <SignUp />;
}

/** No form that would be refused. */
function Closed() {
  return (
    <main class="alone door">
      <div class="notice form">
        <h1>
          <i class="logo" aria-hidden="true" /> respan
        </h1>
        <h2>Sign-up is off</h2>
        <p>Ask an owner for an invite: a link that opens the form.</p>
        <p>
          Have an account? <a href={`/signin${location.search}`}>Sign in</a>
        </p>
      </div>
    </main>
  );
}

interface FrameProps {
  title: string;
  does: string;
  onGo: () => Promise<void>;
  children: (wrong: (field: string) => string | null) => ComponentChildren;
  after: ComponentChildren;
}

function Frame({ title, does, onGo, children, after }: FrameProps) {
  useEffect(() => {
    document.title = `${title} · respan`;
  }, [title]);
  return (
    <main class="alone door">
      <ActingForm
        class="notice form"
        does={does}
        look="main"
        onGo={async () => {
          await onGo();
          location.assign(nextPath(location.search));
          return undefined;
        }}
        after={after}
      >
        {(wrong) => (
          <>
            <h1>
              <i class="logo" aria-hidden="true" /> respan
            </h1>
            <h2>{title}</h2>
            {children(wrong)}
          </>
        )}
      </ActingForm>
    </main>
  );
}

interface EmailProps {
  value: string;
  wrong: string | null;
  onText: (text: string) => void;
}

function Email(props: EmailProps) {
  return <Field label="E-mail" type="email" autocomplete="username" required autoFocus {...props} />;
}

function SignIn({ mayJoin }: { mayJoin: boolean }) {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  return (
    <Frame
      title="Sign in"
      does="Sign in"
      onGo={async () => {
        await signIn(email, password);
      }}
      after={
        <>
          {mayJoin && (
            <p>
              No account yet? <a href={`/signup${location.search}`}>Sign up</a>
            </p>
          )}
          <p class="mute">
            No password, or a forgotten one? On the machine that runs the server, <code>respan auth link</code> prints a
            link that lets an owner in.
          </p>
        </>
      }
    >
      {(wrong) => (
        <>
          <Email value={email} wrong={wrong('email')} onText={setEmail} />
          <Field
            label="Password"
            type="password"
            autocomplete="current-password"
            required
            value={password}
            wrong={wrong('password')}
            onText={setPassword}
          />
        </>
      )}
    </Frame>
  );
}

/** Who is signed in needs no account. */
function Join({ invite }: { invite: string }) {
  return (
    <Frame
      title="You are invited"
      does="Join as you are"
      onGo={async () => {
        await getSession(AbortSignal.timeout(10_000)); // and with it what the page may change something by
        await joinBy(invite);
      }}
      after={null}
    >
      {() => <p>You are signed in: what you are invited to comes beside what you have.</p>}
    </Frame>
  );
}

function SignUp({ invite }: { invite?: string }) {
  const [email, setEmail] = useState('');
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  return (
    <Frame
      title={invite === undefined ? 'Sign up' : 'You are invited'}
      does={invite === undefined ? 'Sign up' : 'Join'}
      onGo={async () => {
        await signUp({ email, password, name, ...(invite === undefined ? {} : { invite }) });
      }}
      after={
        <p>
          Have an account?{' '}
          {invite === undefined ? (
            <a href={`/signin${location.search}`}>Sign in</a>
          ) : (
            'Its e-mail and password join it.'
          )}
        </p>
      }
    >
      {(wrong) => (
        <>
          <Email value={email} wrong={wrong('email')} onText={setEmail} />
          <Field
            label="Name"
            type="text"
            autocomplete="name"
            required
            maxLength={100}
            value={name}
            wrong={wrong('name')}
            onText={setName}
          />
          <NewPassword
            label="Password"
            hint="At least 10 characters"
            value={password}
            wrong={wrong('password')}
            onText={setPassword}
          />
        </>
      )}
    </Frame>
  );
}
