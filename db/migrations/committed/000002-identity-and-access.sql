--! Previous: sha1:c02a516439bb857874e78a2d69705662746bd8ba
--! Hash: sha1:02ffff8e0c36201eb3fb2c3ab69712351c3c4a6f
--! Message: identity and access

--! split: 010-organizations.sql
alter table app_public.organizations add column suspended_at timestamptz;

comment on column app_public.organizations.suspended_at is 'When the operator of the installation closed the organization for a time: nobody of it gets in, and nothing is lost. Empty while it is open.';

create table app_public.companies (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  name text not null check (name ~ '\S' and length(name) <= 120),
  shares_tickets boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, name)
);

comment on table app_public.companies is 'A customer account: the company that several customers work for.';
comment on column app_public.companies.organization_id is 'The organization it is a customer of.';
comment on column app_public.companies.id is 'The identifier of the company.';
comment on column app_public.companies.name is 'The name people read, unique in the organization, up to 120 characters.';
comment on column app_public.companies.shares_tickets is 'Whether its people see, follow and answer each other''s tickets.';
comment on column app_public.companies.created_at is 'When the company was made.';
comment on column app_public.companies.updated_at is 'When this row last changed.';

grant usage on schema app_private to atum_operator;

--! split: 020-identity.sql
drop function app_private.log_out(text);
drop function app_private.open_session(app_public.users, inet, text);
drop function app_private.refresh_token_hash(text);

alter table app_public.users
  add column company_id uuid,
  add column restricted_to_teams boolean not null default false,
  add column is_break_glass boolean not null default false,
  add column activated_at timestamptz default now(),
  add foreign key (organization_id, company_id) references app_public.companies on delete set null (company_id);

-- Plain ASCII: what folds or looks like another letter would be the address of somebody else. Domains with other letters
-- have a form of their own for this. Those that are there stay.
alter table app_public.users drop constraint users_email_check;
alter table app_public.users
  add constraint users_email_check check (email::text ~ '^[!-?A-~]+@[!-?A-~]+$' and length(email) <= 254) not valid;

create index users_organization_id_company_id_idx on app_public.users (organization_id, company_id);
create index users_restricted_to_teams_idx on app_public.users (organization_id, id) where restricted_to_teams;

comment on column app_public.users.company_id is 'The company a customer works for.';
comment on column app_public.users.restricted_to_teams is 'Whether an agent sees only the tickets of the own teams, and those assigned to or requested by them. Means nothing for other roles.';
comment on column app_public.users.is_break_glass is 'Whether the password keeps working while the organization logs in by its identity provider only.';
comment on column app_public.users.activated_at is 'When the person proved the mail address; empty while an invitation or a verification is open, and they cannot log in.';

create table app_public.security_policies (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  two_factor_roles app_public.user_role[] not null default '{}',
  registration_domains text[] not null default '{}' check (cardinality(registration_domains) <= 100),
  local_login boolean not null default true,
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id)
);

comment on table app_public.security_policies is 'How people of the organization get in: one row each.';
comment on column app_public.security_policies.organization_id is 'The organization it is about.';
comment on column app_public.security_policies.id is 'The identifier of the policy.';
comment on column app_public.security_policies.two_factor_roles is 'The roles that must log in with two factors. Who has the role and no second factor can do nothing but enrol one.';
comment on column app_public.security_policies.registration_domains is 'The mail domains whose people may register themselves as customers, in lower case; empty means nobody may.';
comment on column app_public.security_policies.local_login is 'Whether people log in with a password kept here. Where it is off, only an identity provider lets them in, and break-glass accounts their password.';
comment on column app_public.security_policies.updated_at is 'When it last changed.';

insert into app_public.security_policies (organization_id) select id from app_public.organizations;

create type app_public.identity_provider_kind as enum ('oidc', 'ldap');
comment on type app_public.identity_provider_kind is 'How an identity provider is asked: `oidc` by OpenID Connect in the browser, `ldap` by a bind to a directory.';

create table app_public.identity_providers (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  kind app_public.identity_provider_kind not null,
  name text not null check (name ~ '\S' and length(name) <= 80),
  is_enabled boolean not null default true,
  issuer text check (issuer ~ '^https?://[^\s]+$' and length(issuer) <= 500),
  client_id text check (client_id ~ '\S' and length(client_id) <= 300),
  scopes text[] not null default '{openid,email,profile}' check (cardinality(scopes) <= 20),
  url text check (url ~ '^ldaps?://[^\s]+$' and length(url) <= 500),
  base_dn text check (length(base_dn) <= 500),
  bind_dn text check (length(bind_dn) <= 500),
  user_filter text check (user_filter like '%{username}%' and length(user_filter) <= 500),
  subject_attribute text not null default 'entryUUID' check (subject_attribute ~ '^[A-Za-z][A-Za-z0-9;-]{0,60}$'),
  email_attribute text not null default 'mail' check (email_attribute ~ '^[A-Za-z][A-Za-z0-9;-]{0,60}$'),
  name_attribute text not null default 'cn' check (name_attribute ~ '^[A-Za-z][A-Za-z0-9;-]{0,60}$'),
  role_claim text check (role_claim ~ '^\S{1,200}$'),
  role_mapping jsonb not null default '{}' check (jsonb_typeof(role_mapping) = 'object'),
  default_role app_public.user_role,
  makes_people boolean not null default true,
  asks_second_factor boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, name),
  constraint identity_providers_settings_check check (
    case kind
      when 'oidc' then issuer is not null and client_id is not null
      when 'ldap' then url is not null and base_dn is not null and user_filter is not null
    end
  )
);

comment on table app_public.identity_providers is 'Where people of the organization prove who they are besides or instead of a password kept here.';
comment on column app_public.identity_providers.organization_id is 'The organization that trusts it.';
comment on column app_public.identity_providers.id is 'The identifier of the provider.';
comment on column app_public.identity_providers.kind is 'How it is asked.';
comment on column app_public.identity_providers.name is 'What people read: "Sign in with <name>", unique in the organization, up to 80 characters.';
comment on column app_public.identity_providers.is_enabled is 'Whether it lets people in.';
comment on column app_public.identity_providers.issuer is 'OpenID Connect: the issuer, under which `/.well-known/openid-configuration` is found.';
comment on column app_public.identity_providers.client_id is 'OpenID Connect: the name under which the provider knows us. Its secret is written by `POST /api/v1/auth/identity-provider-secret` and read by nobody.';
comment on column app_public.identity_providers.scopes is 'OpenID Connect: what is asked for.';
comment on column app_public.identity_providers.url is 'LDAP: the address of the directory, `ldaps://` or, with StartTLS, `ldap://`.';
comment on column app_public.identity_providers.base_dn is 'LDAP: where people are looked for.';
comment on column app_public.identity_providers.bind_dn is 'LDAP: as whom they are looked for; empty means anonymously.';
comment on column app_public.identity_providers.user_filter is 'LDAP: how a person is found, for example `(mail={username})`.';
comment on column app_public.identity_providers.subject_attribute is 'LDAP: the attribute that never changes for a person.';
comment on column app_public.identity_providers.email_attribute is 'LDAP: the attribute with the mail address.';
comment on column app_public.identity_providers.name_attribute is 'LDAP: the attribute with the name.';
comment on column app_public.identity_providers.role_claim is 'The claim, with dots between nested ones, or the attribute that lists the groups of a person.';
comment on column app_public.identity_providers.role_mapping is 'Which group gives which role, for example `{"helpdesk": "agent"}`. The highest role counts.';
comment on column app_public.identity_providers.default_role is 'The role of a person in no mapped group; empty means that such a person is refused.';
comment on column app_public.identity_providers.makes_people is 'Whether a person who is not yet in the organization gets an account at the first login.';
comment on column app_public.identity_providers.asks_second_factor is 'Whether the provider asks for a second factor itself, so that we do not.';
comment on column app_public.identity_providers.created_at is 'When it was added.';
comment on column app_public.identity_providers.updated_at is 'When this row last changed.';

create table app_private.identity_provider_secrets (
  organization_id uuid not null,
  provider_id uuid not null,
  sealed text not null check (sealed like 'v1.%'),
  updated_at timestamptz not null default now(),
  primary key (organization_id, provider_id),
  foreign key (organization_id, provider_id) references app_public.identity_providers on delete cascade
);

comment on table app_private.identity_provider_secrets is 'The client secret or bind password of an identity provider, encrypted with AES-256-GCM by the server.';

create table app_private.user_identities (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  provider_id uuid not null,
  subject text not null check (length(subject) between 1 and 500),
  user_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, provider_id, subject),
  foreign key (organization_id, provider_id) references app_public.identity_providers on delete cascade,
  foreign key (organization_id, user_id) references app_public.users on delete cascade
);

create index user_identities_organization_id_user_id_idx on app_private.user_identities (organization_id, user_id);

comment on table app_private.user_identities is 'Whom an identity provider means by a subject. The mail address binds a subject to a person once; from then on the subject counts.';

alter table app_private.sessions
  add column identity_provider_id uuid,
  add column id_token text check (id_token like 'v1.%'),
  add foreign key (organization_id, identity_provider_id) references app_public.identity_providers on delete set null (identity_provider_id);

create index sessions_organization_id_identity_provider_id_idx on app_private.sessions (organization_id, identity_provider_id);
create index sessions_revoked_at_idx on app_private.sessions (revoked_at) where revoked_at is not null;

create table app_private.authenticators (
  organization_id uuid not null,
  user_id uuid not null,
  sealed text not null check (sealed like 'v1.%'),
  confirmed_at timestamptz,
  last_time_step bigint,
  created_at timestamptz not null default now(),
  primary key (organization_id, user_id),
  foreign key (organization_id, user_id) references app_public.users on delete cascade
);

comment on table app_private.authenticators is 'The secret a person''s one-time codes come from (RFC 6238), encrypted with AES-256-GCM by the server, and the last step that was used: none is accepted twice.';

create table app_private.recovery_codes (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  user_id uuid not null,
  code_hash bytea not null check (octet_length(code_hash) = 32),
  used_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique (organization_id, user_id, code_hash),
  foreign key (organization_id, user_id) references app_public.users on delete cascade
);

comment on table app_private.recovery_codes is 'What replaces a lost second factor: ten codes of 128 random bits, each good once, of which the sha256 is kept.';

create table app_private.login_challenges (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  user_id uuid not null,
  challenge_hash bytea not null check (octet_length(challenge_hash) = 32),
  purpose text not null check (purpose in ('verify', 'enrol')),
  proof text not null check (proof in ('password', 'provider')),
  identity_provider_id uuid,
  id_token text,
  attempts integer not null default 0,
  expires_at timestamptz not null default now() + interval '10 minutes',
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  foreign key (organization_id, user_id) references app_public.users on delete cascade,
  foreign key (organization_id, identity_provider_id) references app_public.identity_providers on delete cascade
);

create index login_challenges_challenge_hash_idx on app_private.login_challenges (challenge_hash);
create index login_challenges_organization_id_user_id_idx on app_private.login_challenges (organization_id, user_id);
create index login_challenges_organization_id_identity_provider_id_idx on app_private.login_challenges (organization_id, identity_provider_id);

comment on table app_private.login_challenges is 'A login that has passed its first step and waits ten minutes for the second: a one-time code, or the enrolment that the role demands. What the first step was is asked again at the second.';

create table app_private.account_mails (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  user_id uuid not null,
  purpose text not null check (purpose in (
    'invitation', 'email_verification', 'password_reset',
    'address_taken', 'address_changed', 'refresh_token_reused', 'password_changed', 'two_factor_on', 'two_factor_off', 'api_token_made'
  )),
  address text,
  token_hash bytea check (octet_length(token_hash) = 32),
  expires_at timestamptz,
  delivery text not null default 'waiting' check (delivery in ('waiting', 'sent', 'no_mail_server', 'handed_over')),
  used_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  foreign key (organization_id, user_id) references app_public.users on delete cascade,
  constraint account_mails_expiry_check check ((purpose in ('invitation', 'email_verification', 'password_reset')) = (expires_at is not null)),
  constraint account_mails_address_check check ((purpose = 'address_changed') = (address is not null))
);

create index account_mails_token_hash_idx on app_private.account_mails (token_hash) where token_hash is not null;
create index account_mails_organization_id_user_id_idx on app_private.account_mails (organization_id, user_id, created_at);

comment on table app_private.account_mails is 'What a person is written about the own account. An invitation (7 days), a verification (1 day) and a password reset (1 hour) carry a single-use token; it is made when the mail is sent, and only its sha256 is kept. A mail goes to the address it names, the one before a change, otherwise to the person''s own.';

create table app_public.api_tokens (
  organization_id uuid not null,
  id uuid not null default app_hidden.uuid_v7(),
  user_id uuid not null,
  name text not null check (name ~ '\S' and length(name) <= 80),
  scopes text[] not null check (cardinality(scopes) >= 1 and scopes <@ '{read,tickets:write,admin:read,admin:write}'),
  made_as app_public.user_role not null,
  hint text not null check (length(hint) = 4),
  expires_at timestamptz,
  last_used_at timestamptz,
  last_used_ip inet,
  revoked_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  foreign key (organization_id, user_id) references app_public.users on delete cascade
);

create index api_tokens_organization_id_user_id_created_at_idx on app_public.api_tokens (organization_id, user_id, created_at);

comment on table app_public.api_tokens is 'What a program logs in with, in the name of a person and with no more rights than its scopes give.';
comment on column app_public.api_tokens.organization_id is 'The organization of the person.';
comment on column app_public.api_tokens.id is 'The identifier of the token; the token itself is shown once, when it is made.';
comment on column app_public.api_tokens.user_id is 'The person in whose name it acts.';
comment on column app_public.api_tokens.name is 'What the person calls it, up to 80 characters.';
comment on column app_public.api_tokens.scopes is 'What it may do: `read` what customers and agents read, `tickets:write` to work on tickets, `admin:read` and `admin:write` all that the person''s own role may. Without a scope that writes it changes nothing.';
comment on column app_public.api_tokens.made_as is 'The role of the person when the token was made. It acts with no more than that, also once the person has a higher one.';
comment on column app_public.api_tokens.hint is 'The last four characters of the token.';
comment on column app_public.api_tokens.expires_at is 'When it ends by itself; empty means never.';
comment on column app_public.api_tokens.last_used_at is 'When it was last used, to the minute.';
comment on column app_public.api_tokens.last_used_ip is 'The address it was last used from.';
comment on column app_public.api_tokens.revoked_at is 'When somebody ended it.';
comment on column app_public.api_tokens.created_at is 'When it was made.';

create table app_private.api_token_secrets (
  organization_id uuid not null,
  token_id uuid not null,
  token_hash bytea not null check (octet_length(token_hash) = 32),
  primary key (organization_id, token_id),
  foreign key (organization_id, token_id) references app_public.api_tokens on delete cascade
);

create index api_token_secrets_token_hash_idx on app_private.api_token_secrets (token_hash);

comment on table app_private.api_token_secrets is 'The sha256 of each API token.';

create table app_public.ip_rules (
  organization_id uuid not null references app_public.organizations on delete cascade,
  id uuid not null default app_hidden.uuid_v7(),
  role app_public.user_role,
  network cidr not null,
  note text check (length(note) <= 200),
  created_at timestamptz not null default now(),
  primary key (organization_id, id),
  unique nulls not distinct (organization_id, role, network)
);

comment on table app_public.ip_rules is 'The networks people may come from. Without a rule from everywhere. The rules of a role, where it has any, stand in place of those for everybody.';
comment on column app_public.ip_rules.organization_id is 'The organization it protects.';
comment on column app_public.ip_rules.id is 'The identifier of the rule.';
comment on column app_public.ip_rules.role is 'The role it is for; empty means every role that has no rules of its own.';
comment on column app_public.ip_rules.network is 'An IPv4 or IPv6 network, for example `192.0.2.0/24`. An IPv4 network written inside IPv6 is kept as IPv4.';
comment on column app_public.ip_rules.note is 'What it is, for people, up to 200 characters.';
comment on column app_public.ip_rules.created_at is 'When it was added.';

create type app_public.login_session as (
  id uuid, ip_address inet, user_agent text, created_at timestamptz, refreshed_at timestamptz, expires_at timestamptz,
  is_current boolean
);
comment on type app_public.login_session is 'A login on one device.';
comment on column app_public.login_session.id is 'The identifier of the session.';
comment on column app_public.login_session.ip_address is 'The address it was last seen at.';
comment on column app_public.login_session.user_agent is 'What the browser or program called itself.';
comment on column app_public.login_session.created_at is 'When the person logged in.';
comment on column app_public.login_session.refreshed_at is 'When it was last seen, to ten minutes.';
comment on column app_public.login_session.expires_at is 'When it ends by itself.';
comment on column app_public.login_session.is_current is 'Whether it is the session that asks.';

create type app_public.two_factor_status as (is_on boolean, is_required boolean, recovery_codes_left integer);
comment on type app_public.two_factor_status is 'How the caller logs in with a second factor.';
comment on column app_public.two_factor_status.is_on is 'Whether one-time codes are asked for.';
comment on column app_public.two_factor_status.is_required is 'Whether the organization demands it of the caller''s role.';
comment on column app_public.two_factor_status.recovery_codes_left is 'How many recovery codes are unused.';

create type app_public.account_link as (purpose text, token text);
comment on type app_public.account_link is 'A single-use link for a person, handed over by an admin instead of a mail.';
comment on column app_public.account_link.purpose is '`invitation` for who has not come yet, otherwise `password_reset`.';
comment on column app_public.account_link.token is 'The token that `/invitation#token=…` and `/reset#token=…` take. Shown once.';

create type app_public.made_api_token as (id uuid, secret text);
comment on type app_public.made_api_token is 'A new API token.';
comment on column app_public.made_api_token.id is 'The identifier of the token.';
comment on column app_public.made_api_token.secret is 'The token itself, `atum_` and 56 hexadecimal digits. Shown once.';

--! split: 027-throttles.sql
create table app_private.login_failures (
  key text primary key check (length(key) between 1 and 120),
  failures integer not null default 0,
  failed_at timestamptz not null default now(),
  blocked_until timestamptz not null default '-infinity'
);

create index login_failures_failed_at_idx on app_private.login_failures (failed_at);

comment on table app_private.login_failures is 'How often logging in went wrong, by account, by address and by both together. Forgotten a day after the last time.';

-- Unlogged: after a crash everybody begins with a full allowance, and no request pays for a write to the log.
create unlogged table app_private.rate_buckets (
  key text primary key check (length(key) between 1 and 160),
  level double precision not null,
  filled_at timestamptz not null
) with (fillfactor = 50);

comment on table app_private.rate_buckets is 'What is left of the allowance of each caller, shared by all servers.';

create table app_private.common_passwords (
  password text primary key
);

comment on table app_private.common_passwords is 'Passwords that many people use, and words that they make longer with digits, in lower case.';

--! split: 028-common-passwords.sql
-- From the common passwords in @zxcvbn-ts/language-common 4.1.3 (MIT licence): every one of 10 characters or more, and
-- the 5,000 most common words of 5 to 9 that people make longer with digits.
insert into app_private.common_passwords (password)
select word from regexp_split_to_table($words$
0000000000d 0000000000o 000777fffa 0102030405 010203040506 01234567890 012345678910 0123654789 0123698745 014702580369
0147258369 0147852369 0147896325 0192837465 01telemike01 050605rostik 0987654321a 0cdh0v99ue 0o9i8u7y6t 1020304050
102030405060 1029384756 1029384756q 10293847qp 10987654321 1111111111zz 1111122222 11111aaaaa 1112131415 111222333000
111222333444555 111222333a 1122112211 1122334455 112233445566 1123581321 1133557799 1212312121 1213141516 1223334444
122333444455555 123123123a 123123123q 123123qweqwe 123321123321 123321456654 123321qweewq 1234509876 1234554321
1234554321a 1234554321q 1234562000 12345654321 123456654321 12345672000 12345677654321 123456782000 1234567887654321
123456789* 123456789. 1234567890 12345678900 123456789000 12345678900987654321 12345678901 123456789012
1234567890987654321 1234567890a 1234567890d 1234567890l 1234567890m 1234567890o 1234567890p 1234567890q 1234567890qaz
1234567890qw 1234567890qwe 1234567890qwerty 1234567890s 1234567890w 1234567890z 1234567890zzz 1234567891 12345678910
123456789101 12345678912 123456789123 1234567892000 12345678987654321 1234567899 123456789987654321 123456789a
123456789aa 123456789aaa 123456789abc 123456789as 123456789asd 123456789b 123456789c 123456789d 123456789e 123456789f
123456789g 123456789i 123456789j 123456789k 123456789l 123456789m 123456789n 123456789o 123456789p 123456789q
123456789qaz 123456789qq 123456789qqq 123456789qw 123456789qwe 123456789qwer 123456789qwerty 123456789r 123456789s
123456789t 123456789v 123456789w 123456789x 123456789y 123456789z 123456789zx 123456789zxc 123456789zz 12345678qwe
1234567qwertyu 123456qwer 123456qwert 123456qwerty 123456zxcvbn 12345abcde 12345asdfg 12345qazwsx 12345qwert
12345qwert7 12345qwerty 12345trewq 12345zxcvb 1234qwerasdf 1234qwerasdfzxcv 1234qwerty 1236547890 123654789a
123ewqasdcxz 123hfjdk147 123qwe123qwe 123qwe456rty 123qweasdzx 123qweasdzxc 123qwerty123 12andriy14 12qw34er56ty
1324354657 132forever 1346798520 1357908642 1357924680 1357997531 1472583690 147258369a 159753159753 1597532486
159753456852 17171717aa 1928374655 192837465q 193570356033 1958proman 1986irachka 1994200414 19952009sa 19960610ilja
19mtpgam19 1a2a3a4a5a 1a2a3a4a5a6a 1a2b3c4d5e 1a2s3d4f5g 1a2s3d4f5g6h 1pass1page 1q2q3q4q5q 1q2w3e4r5t 1q2w3e4r5t6y
1q3e5t7u9o 1qa2ws3ed4rf 1qa2ws3ed4rf5tg 1qaz2wsx3edc 1qaz2wsx3edc4rfv 1qazwsxedc 1qazxsw23edc 1qazxsw23edcvfr4
1qwertyuiop 1z2x3c4v5b 20162016up 2143658709 23176djivanfros 23wkoa0fp78dk 2468013579 2606642yra 26429vadim 2dumb2live
31217221027711 3141592654 3216732167 32615948worms 38gjgeuftd 3f3fpht7op 3rjs1la7qe 3syqo15hil 413276191q 41d8cd98f00b
420842084208555 4294967296 42qwerty42 4815162342 4815162342a 4815162342lf 4815162342lost 4815162342q 4904s677075
51051051051 541233432442 5432112345 5544332211 5858855abc 59382113kevinp 5hsu75kpot 5t4r3e2w1q 6215mila6215 671fsa75yt
70780070780 7410258963 7418529630 742617000027 7777755102q 7894561230 789456123a 789456123q 7elephants 7jokx7b9du
7ugd5hip2j 80070633pc 80361665abc 80637852730 8096468644q 80972694711 80988218126 87654321vv 87e5nclizry 88002000600
89015173454 89032073168 89057003343 89063032220m 89132664230 89172735872 89181502334 89211375759 89231243658s
89600506779 89614774181 89876065093rax 89semtsriuty 8phrowz622 8phrowz624 9085084232 9085603566 9293709b13 9638527410
9731553197 9874563210 987654321a 987654321g 987654321z 989244342a 9988776655 999111999q 99strenght 9z5ve9rrcz
a123456789 a1234567890 a1a2a3a4a5 a1b2c3d4e5 a1s2d3f4g5 a1s2d3f4g5h6 a3eilm2s2y a789456123 a987654321 aa123456789
aaliyah aardvark aaron abbott abc123456789 abcd123456 abcde12345 abercrombie aberdeen abgrtyu abigail abnormal
abracadabra abraham abrakadabra absolut absolute absolutely abstr access accord account accountbloc accounting
achilles achtung action activation active ad12345678 adams adgjmptw adidas admin admin18533362 administrator admiral
adonis adrenaline adrian adriana adrienne adult adults aezakmi aezakmi123 afghanistan africa afrika2002 again aggies
aikido airborne airbus airforce airplane airport airwolf ajcuivd289 ajnjuhfabz akira aksjdlasdakj89879 alabama
alabama123 aladin alaska albany albatros albert alberto albina albion alejandr alejandro alejandro1 aleksander
aleksandr aleksandra aleksey alenka alessandra alessandro alexalex alexande alexander alexander1 alexandr alexandra
alexandra1 alexandria alexey alexia alexis alexsander alfred alfredo alibaba alice alicia alien aliens alina
alinaalina alisaalisa alisha alison alissa alkanaft123 allahuakbar allan allen alliance allison allmine allsop allstar
almond aloha alone alpha alpha135792468 alphabet alphabravo alphaomega alpine alternativa alternative altima alucard
always alyssa am4h39d8nh amadeus amadeusptfcor amand amanda amateur amateurs amazing amazon ambassador amber amelia
americ america american amerika amigo amorcit amsterda amsterdam amsterdam1 an83546921an13 anaconda anakin analsex
anarchy anastasi anastasia anastasija anastasiya anderlecht anders andersen anderson andre andrea andreas andrei
andres andrew andrewjackie andrey andrey1992 andromed andromeda anfield angel angela angelangel angelica angelika
angelina angelo angelochek angelofwar angels angelus angie angus anhyeuem animal animal2000 animals anime anita
annabell annette annie annika answer antananarivu antelope anthon anthony anthrax antichrist antoine anton antoni
antonia antonio anubis anything anytimetoday apache apocalypse apokalipsis apollo apple applejuice applepie apples
applesauce april aptiva aquarius aragorn aramis arcadia archer archie argentina ariana arianna arizona arjay arkansas
arlene armada armageddon armagedon armand armani armstron arnold arrow arrows arsenal arsenal123 artem artemartem
artemis artemka arthur artist artur arturo asd123asd123 asdasd asddsa asdfasdf asdfg asdfg12345 asdfgh asdfgh123456
asdfghj asdfghjk asdfghjkl asdfghjkl1 asdfghjkl123 asdfjkl asdfzxcv asdzxc ashlee ashleigh ashley ashton asian aspire
aspirine assass assassin assfuck asshole asshole123 assholes assman assword astalavista asterix astonmartin astonvilla
astra astra334566 astral astrid astro astros athena athens athlon atlanta atlantic atlantis atomic attack attila
attitude aubrey auburn auckland2010 audrey august augusta augustus aurora aussie austin australi australia australia1
autumn avalanch avalon avatar avenger avenue aviation avrillavigne awdrgyjilp awesome awesome123 awo8rx3wa8t azamat
azazel azerbaijan azerbaycan azerty azertyuiop azsxdc azsxdcfv azsxdcfvgb azwebitalia babemagnet babes babies babybaby
babyblue babyboy babydoll babyface babygirl babylon babylove bacardi bacchus backdoor backup bacon badass badboy
baddog badger badgers badgirl badiman28200 badman badnaamhere baggins baggio bagira bailey baker balance baldwin
baller ballin balloon balloons balls bambam bamboo banana bananas banane bandit bangbang banger bangkok bangladesh
banker banner banshee banzai barbados barbara barbarossa barber barbie barcelon barcelona barefoot barker barkley
barnes barney baron barrett barron barry barselona barsik bartman barton basebal baseball baseball10 baseball11
baseball12 baseball21 basket basketba basketball basketball1 basset bassman bassmaster bastard batman battery battle
battlefield battlestar baxter bayern bcfields beach beaches beacon beagle beamer beaner beanie beans bearbear bearcat
bearcats beardog bears beast beastie beatle beatles beatrice beautifu beautiful beautiful1 beauty beaver beavis
because becker beckham becky beefcake beemer beerbeer beerman beetle believe belinda bella belladonna belle belly
belmont bender benfica bengals benjamin bennett bennie benny benoit benson bentley beowulf beretta berezuckiy berger
bergkamp berkeley berlin berlin1945 bermuda bernadette bernard bernie bertha bertie bessie bestfriend bethany better
betty beverly bhbirf bhrh0h2oof6xbqjeh bianca biatch biblioteka bicycle bigass bigballs bigbear bigben bigbird
bigblock bigblue bigbob bigboobs bigboss bigboy bigbrother bigbutt bigcat bigcock bigdaddy bigdick bigdog bigfish
bigfoot bigger biggie biggles bigguy bighead bigmac bigman bigmike bigmoney bigone bigpimp bigred bigsexy bigtime
bigtit bigtits bikini bilbo billie billy billybob billyboy bimmer bingo binladen biology birddog birdie birdman birgit
birmingham birthday birthday10 birthday100 birthday133 birthday21 birthday26 birthday27 birthday28 birthday299
birthday36 birthday54 biscuit bishop bitch bitchass bitches biteme bitter bizkit blabla black blackadder blackberry
blackbir blackcat blackdog blackdragon blackhaw blackhawks blackheart blackhorse blackie blackjac blackjack blacklabel
blackman blackmetal blackout blacks blacksheep blacksonblon blackwhite blacky blade bladerunner blades blahblah blake
blanco blast blaster blaze blazer blessed blessing blingbling blitzkrieg blizzard blond blonde blondes blondie blood
bloody blossom blowjob blowme bltynbabrfwbz bluebell bluebird blueblue blueboy bluedevils bluedog bluedragon blueeyes
bluefish bluemoon blues bluesky bluesman bmvm3e46gtr boating bobafett bobbie bobbob bobby bobcat bobdylan boeing
bogart bogdan bogey bohica boiler bollocks bollox bologna bolton bombay bomber bombers bondage bondarenko bonehead
boner bones bonita bonjour bonjovi bonkers bonnie bonsai boobie boobies booboo boobs booger boogie booker bookworm
boomboom boomer booster bootie boots booty boozer borabora boredboi4u boricua boris borussia bosco bossman boston
bot_schokk bottle bottom bounce bounty bowler bowling bowman bowser bowwow boxer boxers boxing boxster boy1cool23
boy4u2ownnyc boytoy bpgjldsgjldthnf br0d3r bradford bradley brain brains brandi brando brandon brandy brasil
braveheart braves bravo brazil breakdance breast breasts breeze brenda brendan brent brett brewer brewster brian
briana brianna bridge bridget bright brighton brigitte bristol british britney brittany brittney broadway brodie
broken broker bronco broncos bronson bronze brooke brooklyn brooks brother brothers brown brownie browning browns
bruce brucelee brucewayne bruins bruiser bruno brutus bryan bryant bubba bubbas bubble bubbles buceta bucket buckeye
buckeyes buckshot budapest buddah buddha buddie buddy buddyboy budlight budman budweise buffalo buffett buffy bugger
builder bujhmbujhm bulldog bulldogs bullet bullfrog bullnuts2003 bulls bullseye bullshit bullwinkle bummer bumper
bunghole bunker bunnies bunny burger burrito burton bushido bushmaster business businessbabe busted buster busty butch
butcher butler butter butterbean buttercu butterfl butterfly butterfly1 buttfuck butthead butthole buttman button
buttons butts buzzard bvncnbnvvbn byajhvfnbrf byteme c43dae874d c43qpul5rz c7e4f8ezqh cabbage cabron cactus cadillac
caesar caitlin calculator calgary calico caliente californ california california1 caligula callaway callie callisto
callofduty callum calvin camaro cambiami camel camelot camels cameltoe camera cameron camila camilla camille campbell
camper canada canadian cancel cancer cancun candace candice candle candy candyeater candyfinger candyman cannabis
cannon cannondale canon cantona canyon capital capone caprice capslock captain caramel caravan carbon cardinal cards
carina carla carlito carlitos carlo carlos carlton carman carmel carmen carnage carol carole carolin carolina caroline
carolyn carpedie carpente carpet carrera carrie carrot carson carter cartman cartoon carver casablanca casanova
cascade caserta casey casino casper cassidy cassie castillo castle castor castro catalina catdog caterpillar catfish
catherin catherine cathy catman cattle catwoman caught cavalier caveman cayman cbr900rr ccbill cdtnbr cdtnkfyf cecilia
cedric cegthgegth cegthgfhjkm celeb celeron celeste celica celine celtic celtic1888 celtics center central century
cerberus cessna cfitymrf cfkfvfylhf cgfhnfr cghfdjxybr cgtwbfkbcn chainsaw chair challenger chambers champ champion
champs chance chandler chandra chanel chang change changed changeme changes channel chantal chaos charger chargers
charity charlene charles charleston charley charli charlie charlie111 charlie123 charlott charlotte charlotte1
charlton charly charmed charter chase chaser cheater cheburashka check checkers cheech cheeks cheerleader cheerleaers
cheers cheese cheeseburger cheesecake cheetah chelsea chemical cheng cherokee cherry cheryl chessmaster chester
chester123 chesterfield chestnut chevelle chevrole chevrolet chevy chevys chewie cheyenne chiara chicago chichi chick
chicken chicken123 chickens chickenwing101 chicks chico chief chiefs children chilli chillin chilly chimera china
chinchilla chinese chinook chipmunk chipper chippy chivas chloe chocolat chocolate chocolate1 choice chong choochoo
chopin chopper chris chrisbln chrisbrown chriss chrissy christ christia christiaan christian christian1 christie
christin christina christine christma christmas christop christophe christopher christopher1 christy chrome chronic
chrono chrysler chuai chuang chubby chuck chuckie chuckles chucky chunky chupakabra church ciccio cicero cigar cigars
cincinnati cinder cinderella cindy cinema cinnamon circle circus cisco citadel citizen citroen civic civilization
cjdthitycndj cjkysirj cjkywt claire clancy clapton clarence clarinet clark classic classics claude claudi claudia
claudio claymore clayton clemson cleopatr clevelan clifford climber clinton clipper clippers clitoris close cloud
clouds clover clown clowns clubpenguin clyde cnfc35762209 cnfnbcnbrf cnfybckfd cnjvfnjkju coach cobain cobalt cobra
cobras cocacola cocaine cocker cockgobbler cocks cocksuck cocksucker coconut codered coffee cohiba coldbeer coldplay
coleman collection colleen college collin collins colnago colombia colonel colorado colors colton coltrane columbia
columbus comanche combat combat123654 comedy comet comfort comicbookdb comicbooks comics command commando commercial
common company compaq compass compatible complete compton computador computadora compute computer computer12 conan
concord concorde concrete condom condor confidence configuratio confused connect connection conner connie connor
conover conrad constantin constantine construction consumer contact content contest contortionist contrasena control
controller cookie cookies coolcool cooldude cooler coolguy coolio coolman coolness cooper coorslight cooter copenhagen
copper corey corinne corleone corndog cornell corolla corona corperfmonsy corporation corrado corsair corvette cosmic
cosmo cosmopolitan cosmos costello cosworth cottage cotton cougar cougars counter counterstrike country county courage
courtney coventry cowboy cowboys coyote crack cracker craig cramps crash crawford crazy crazybab crazyhorse cream
creampie creamy create creation creative creature credit crepusculo cricket criminal crimson cristian cristina
cristopher critter crjhgbjy cross cruise cruiser crunch crusader crusher crysis crystal ctdfcnjgjkm cthtuf cthulhu
cthutq ctrhtn cubbies cubswin cuddles cumming cumshot cuntfinger cunts cupcake curious curtis custom customer cutlass
cutter cvzefh1gkc cxfcnkbdfz cxfcnmt cxfcnmttcnm cyber cyberonline cyborg cyclone cyclops cyecvevhbr cygnus
cyjdsvujljv cynthia cypress cytuehjxrf dabears daddy daddysgirl daemon daewoo dagger daisy dakota dalejr dallas dalshe
dalton damage damian damien dammit damnit dance dancer dancing danger danie daniel daniela daniele danielle daniels
daniil danila danni danny dannyboy dante danzig daphne darius darkknight darklord darkman darkness darkside darkstar
darlene darling darrell darren darryl darthvader darwin dashadasha datsun david davide davids davidson davis dawson
dayton daytona dbrnjh dbrnjhbz dbrnjhjdbx dbrnjhjdyf dctvcjcfnm dctvghbdtn deacon deadhead deadly deadman deadpool
deanna death debbie deborah december deedee deejay deeper deeppurple deepthroat deerhunter deeznuts deeznutz defender
defense defiant deftones delete delight delilah delphi delta deltaforce deluxe demolition demon demons denali denis
denise deniska denmark dennis dentist denver department depeche depechemode derek derrick descent description desert
design designer desire desiree deskjet desmond desperados destin destiny destroy destruction detroit deutsch
deutschland devastator devil devildog devildriver devilmaycry devilmaycry4 devils dexter dfcbkbq dfkthbz dfkthf
dfktynbyf dfktynbyrf dfvgbh dharma dhjnvytyjub diablo dialog diamond diamonds diana diane dianne diaper dickhead
dickie dicks dictionary diego diehard diesel dietcoke dieter difference digger diggler digimon digital digitalprodu
dilbert dildo dilligaf dillon dinamo dinara dindom dingdong dinosaur dipshit direct director dirtbike dirty discover
disney disneyland diver divine diving divorce dixie djljghjdjl dkflbckfd dkflbdjcnjr dkflbvbh dkflbvbhjdbx
dkflbvbhjdyf dmiller12as doberman doctor dodge dodger dodgeram dodgers dodgeviper dogbert dogboy dogcat dogface
dogfood dogger doggie doggy doggystyle doghouse dogman dogphil3650 dogshit doitnow dollar dollars dolly dolores
dolphin dolphins domain domainlock2005 domination dominic domino domodedovo donald donaldduck donkey donkeykong donna
donnie donovan donuts doobie doodle doofus doogie dookie doomsday doors dorian dorothy dotcom dottie double doughboy
douglas download downtown dracula drago dragon dragonba dragonball dragonballz dragonfire dragonforce dragons dragoon
drake drakon draven dream dreamer dreamonline dreams drifter drive driver drizzt droopy drowssap drpepper drumandbass
drummer drunk dthjybrf dtynbkznjh dublin ducati duchess duckie dudedude dudley dumbass duncan dundee dunnowho89 dupont
duranduran durango duster dustin dusty dutch dutchess dwayne dwight dylan dynamite dynamo dynasty e6pz84qfcj eagle
eagles earnhard earth easter eastern easton eastside eastwood eatme eatpussy eatshit ebony eclipse eddie edgar edison
eduard eduardo edward edwardcullen edwards eeyore efbcapa201 eggman eghfdktybt eileen einstein ejaculation ekaterina
ekaterina20 elaine elcamino eldorado eleanor electra electric electro electron electronic electronics element elena
elephant eleven elijah elite elizabet elizabeth elizabeth1 elizaveta ellen ellie elliot elliott elsalvador elvira
elvis elwood emerald emerson emilia emilie emily eminem emmanuel emmitt empire energy engage engine engineer
engineering england english enigma enjoy enrico enter enterme enterpri enterprise entertainment entropy epsilon eraser
erica ericsson erika ernest ernie erotic erotica escaflowne escape escort esther estrella eternal eternity ethan
eugene eureka europa europe evanescence evangelion evelyn everest everett everlast everton everything evolution
excalibu excalibur excellence excite exigen exigent exodus exotic experience experienced expert explorer express
extreme eybdthcbntn fabian fabie fabric facial faggot fairlane faith faithful falcon falcons fallen fallenangel
fallout falloutboy family famous fandango fantasia fantasy fantomas farley farmer farscape farside fartripper fashion
fastball faster fatass fatboy fatcat father fatima fatima753357 fatman fatty fcbarcelona fcnfkfdbcnf fdnjhbpfwbz
fearless feather february federal federico felicia felicidade felipe felix female fender fenerbahce fenway fergie
fergus ferguson fernand fernando ferrari ferret ferris fester festival fetish fghtkm fgjkbyfhbz fgjrfkbgcbc fgtkmcby
ficken fiction fidelio fiesta figaro fight fighter fighting54 filter filthy finalfantasy finance findaupair007 finger
fingers finish fiorentina fireball firebird firefighter firefire firefly firefox fireman firestarter firewall first
firstone123 fischer fishbone fisher fishes fishfinger fishhead fishin fishing fishman fisting fitness fitzgerald
fkg7h4f3v6 fkmnthyfnbdf fktrcfylh fktrcfylh1 fktrcfylhf fktrcfylhjd fktrcfylhjdbx fktrcfylhjdf fktrcfylhjdyf
fktrcfylth fktrctq flames flamingo flanker flash flatron fletch fletcher flexible flight flintstone flipper floppy
florence flores florian florida flounder flower flowers floyd fluffy flvbybcnhfnjh flyboy flyers flyfish flying focus
foobar footbal football football10 football12 football123 force forest foreve forever foreveryoung forfun forget
forgetmenot forgot format formatters formula forrest forsaken fortuna fortune forum forward foryou fossil foster
foundation fountain fowler foxtrot franc france frances francesc francesco francis franco francois frank frankie
franklin franky frankzappa fraser freak freaks freaky freckles freddie freddy frederic frederiksberg fredfred fredrick
freebird freedom freefree freelancer freeman freepass freeporn freesex freeuser freeway freeze french fresh
freyfvfnfnf friday friend friendly friends friendship friendster fright frisco frisky fritz frodo frogger froggy
frogman froinlaven fromvermine frontier frost frosty frozen frozenfish fubar fuck_inside fucked fucker fuckers
fuckface fuckfuck fuckhead fuckher fuckin fucking fuckinside fuckit fuckme fuckmehard fuckmylife fuckoff fuckoff666
fuckthemall fucktheworld fuckthis fuckthroat fucku fuckyo fuckyou fuckyou123 fuckyoubitch fuckyouguys fufnfrhbcnb
fugazi fulham fullmoon function funny funtime fusion futbol future fuzzy fyfcnfcbz fyfcnfcbz1 fyfnjkbq fyfnjkmtdbx
fyfnjkmtdyf fylhtq fynfyfyfhbde fytxrf fyutkbyf gabrie gabriel gabriela gabriell gadget gagging galatasara galatasaray
galaxy galina galore gambit gambler gameboy gamecock gamecube gamemaster gameover games gandalf ganesh gangbang
gangbanged gangsta gangster garage garbage garcia garden garfield gargoyle garion garrett gasman gaston gatekeeper
gateway gator gatorade gators gawker gbhfvblf gblfhfcbyf gbpltw gearsofwar gegcbr geheim gemini general generation
generic genesis geneva genius geoffrey georg george georgetown georgia georgie gerald gerard gerasimova german germany
geronimo gertrude gesperrt getmoney getout getsome gettysburg gfhfcjkmrf gfhfktkjuhfv gfhfvgfvgfv gfhjkm gfhjkmgfhjkm
ghbdtn ghbdtnbr ghbdtndctv ghbdtnghbdtn ghbdtngjrf ghbdtnrfrltkf ghblehjr ghbywtccf ghetto ghhh47hj764 ghhh47hj7649
ghjatccbjyfk ghjcnbnenrf ghjcnbvtyz ghjcnj ghjcnjabkz ghjcnjgbpltw ghjcnjgfhjkm ghjcnjghjcnj ghjcnjnfr ghjcnjnfr1
ghjcnjqgfhjkm ghjcnjrdfibyj ghjcnjrdfif ghjgfufylf ghjnbdjcnjzybt ghjnbdjufp ghjrehfnehf ghjrjgtyrj ghjuhfvbcn
ghjuhfvvbcn ghost ghostrecon ghostrider ghosts ghtdtlvtldtl giant giants gibson gidget gilbert gilbert2707 gilles
gillian gilligan ginger giorgi giorgio giovanni giraffe girlfriend girls giuseppe gizmo gizmodo gjdtkbntkm gjhjlfcjqrb
gjikbdctyf gjkbyf gjkysqgbpltw gjyjvfhtdf gjytltkmybr glacier gladiato gladiator glamour glass glenn global glock
gloria glory gmoney goalie goaway gobears goblin goblue gobucks goddess godfathe godfather godisgreat godsmack
godzilla godzils4s7 gofish goforit goirish goldberg golden goldfinger goldfish goldie goldstar goldwing golfball
golfer golfgolf golfing goliath gollum gonavy gonzalez gonzo goober good123654 goodboy goodbye goodfellas goodluck
goodman goodmorning goodtime goofy google gooner goose gopher gordo gordolee85 gordon gorgeous gorilla gotcha goten
gothic gotohell govols grace gracie graham grand grande grandma grandmaster grandorgue grandpa granny grant grapes
graphics grasshopper grateful gravity grease great greatone greece greedisgood green greenbay greenday greene
greengreen greenhouse greenlantern greens gregor gregory gremlin grendel gretchen gretzky griffey griffin grimreaper
gringo grizzly gromit groove groovy groucho groupd2013 groups grover grumpy gryphon gthtcnhjqrf gthtrfnbgjkt
gthtrhtcnjr gtnhjdbx gtnhjpfdjlcr guang guardian guess guest guiness guinness guitar guitarhero guitars gundam
gundamwing gunnar gunner gunners gunslinger gunther gustav gustavo guyver gxlmxbewym gy3yt2rgls gypsy h72sfibbnl
habibi hacked hacker haggis hailey hairy halflife halifax hallelujah hallie hallo hambone hamburg hamilton hamish
hamlet hammer hammerhead hammers hammertime hammond hampton hamster handball handsome handyman hanna hannah hannibal
hansen hansolo hanson happiness happy happyday happyhappy hardcock hardcore harder hardon hardrock hardware hardwareid
harley harmony harold harper harris harrison harry harrypotter harvard harvest harvey hassan hastings havana havefun
hawaii hawaiian hawkeye hawkeyes hayabusa hayden hayley hd764nw5d7e1vb1 hd764nw5d7e1vbv headhunter health heart hearts
heater heather heaven heavymetal heckfy hector hedgehog hedimaptfcor heidi heineken heinrich helen helena helene
helicopter hellboy hellfire hello hellohello hellokitty helloo hellos hellothere helloworld hellraiser hellyeah helmet
helper helpme hendrix henry hentai herbert herbie hercules heritage herman hermes heroes hershey hesoyam hesoyam123
hewlett heynow hidden higgins highbury highheel highland highlander highway hijodeputa hilary hillary hilton hiphop
hippie history hitachi hithere hitler hitman hjccbz hjvfirf hobbes hobbit hockey hocuspocus hokies holden holiday
holidays holland hollie hollister1 hollow holly hollywoo hollywood hollywood1 holmes holycow holyshit homeboy homer
homerj homers homerun honda hondacivic hondas hondas2000 honey honeybee hongkong honolulu hookem hooker hookup
hooligan hooper hoosier hoosiers hooter hooters hootie hoover hopeful hopeless hopkins hopper horace horizon horndog
hornet hornets horney horny horse horsepower horses hotbox hotboy hotdog hotone hotpussy hotred hotrod hotsex hotshot
hotstuff hottie hotties hounddog house housemusic houses housewifes houston hover howard howdy hshfd4n279 htubcnhfwbz
huang hubert hudson hughes hummer hungry hunter hunting hurley hurrican hurricane hurricanes husker huskers huskies
hustler hyperion hypnodanny iaapptfcor iamawesome iamgod iampurehaha2 ibanez iceberg icecream icehouse iceman
iddqdiddqd iddqdidkfa idiot idontkno idontknow idontknow1 idunno iforgot iguana ihateyou ilikepussy illini illinois
illuminati illusion iloveboobies ilovegirls ilovejesus iloveme ilovemusic ilovemyfamily ilovemylife ilovemyself
ilovepussy ilovesex iloveu iloveyo iloveyou iloveyou11 iloveyou12 iloveyou123 iloveyou143 iloveyou22 imagination
imagine imation imjakie123 immortal impact impala imperial impossible incredible incubus independent india indian
indiana indians indigo infalicall infantry inferno infiniti infinity information ingodwetrust ingrid insane insanity
insert insertions inside insomnia inspiron install installdevic installsqlst installutil integra intel intelinside
intelligence interacial intercourse intermilan international internet intrepid intruder inuyasha iomega ipo54tj45uy856
ipswich ireland irina irinka irish irishka irishman ironmaiden ironman isaac isabel isabell isabella isabelle isaiah
iscool iseedeadpeople island islander israel istanbul italia italian itsasecret itsme ivanivanov ivanov ivanova
iverson iwantu j3qq4h7h2v jabroni jackal jackass jackdaniels jackhammer jackie jackjack jackoff jackpot jackson jacob
jacobs jacqueline jacques jagger jaguar jakejake jamaica james jamesbon jamesbond jamesbond007 jamesjames jameson
jamie jammer jammin janet janice janine january japan japanese jared jarhead jarvis jasmin jasmine jasmine123 jason
jasper javier jaybird jayden jayhawk jayhawks jayson jazzman jeanette jeanne jediknight jedimaster jefferso jeffery
jeffrey jelly jellybea jenkins jenna jennie jennife jennifer jenny jensen jeremiah jeremy jericho jerkoff jermaine
jerome jerry jersey jesse jessejames jessic jessica jessie jester jesus jesuschris jesuschrist jesusfreak jesusislord
jesussaves jetbalance jethro jetski jewel jewels jezebel jiang jigei743ks jiggaman jillian jimandanne jimbo jimbob
jimmie jimmy jingle jiong jktymrf jlbyjxtcndj joanna joanne jockey joebob joejoe johann johanna johannes johnboy
johndeer johngalt johnjohn johnny johnson joker jokerjoker jokers jonathan jones jonny jorda jordan joseph josephin
josephphone7 joshua journey jrcfyf jsbach juancarlos juanita jubilee judith juggalo juggernaut juice juicy julia
julian julie julien juliet juliette julius jumper junebug jungle junior junkie jupiter just4fun just4me justdoit
justforfun justice justin justinbiebe justinbieber justine justme justus juventus jxfhjdfirf k123456789 kahuna kaiser
kaitlyn kakashka kaktus kalifornia kalina kaliningrad kamehameha kamelia2011 kamikaze kamila kangaroo kanmax1994
kansas karachi karate karen karin karina karma karolina kashmir kasper katana katarina katerina katherin katherine
kathleen kathryn kathy katie katrin katrina katyakatya kawasaki kayla kaylee kazakhstan kazantip kbnthfnehf kcj9wx5n
kd189nlcih keegan keenan keeper keisha keith keller kelley kellie kelly kelsey kelvin kendall kendra kennedy kenneth
kenny kenshin kensington kentucky kenwood kenworth kermit kerstin kevin keyboard keystone keywest kfhbcf kickass
kicker kidrock kieran killbill kille killer killers killjoy killkill killme kilroy kimber kimberly kimmie kinder
kingdom kingfish kingfisher kingkong kingpin kings kingston kinky kipper kirby kirill kirsten kirsty kisses kissing
kisskiss kissme kissmyass kitchen kitkat kitten kittens kitty kittycat kittykat kittykitty kjkszpj kjrjvjnbd
kl?benhavn klapaucius klaster kleopatra klingon klubnichka knickerless knickers knicks knight knights knockers knopka
knucklehead kobebryant kodiak kolobok komodo konovalova konstantin koroleva koshka kosmos kostya kotaku kotenok
kozanostra kramer krasavchik krasotka kravchenko krishna krissy krista kristen kristi kristin kristina kristine
kristopher kristy krusty krypton kryptonite krystal ktjynsq40147 ktyjxrf kuang kudos4ever kungfu kurtcobain kwiatuszek
labrador labtec lacrosse ladies ladybug ladyffesta laguna lakers lakota lambert lamborghini lamborgini lamer lamont
lance lancelot lancer landon lansing lantern laptop larisa larissa larry laser lassie lasvega lasvegas latin latina
latinas latino laura laurel lauren laurence laurent laurie lawrence lawyer lazarus leader leanne leather leavemealone
ledzep ledzeppelin left4dead2 legacy legend legion legolas lemon lemonade lemons lennon lenny leonard leonardo leonid
leopard leroy lesbian lesbians lesley leslie lespaul lestat lester letmein letmein123 letmeinnow letsgo letter lewis
lexmark lexus lfplhfgthvf lhbjkjubz2957704 liang liberty library licker licking lickit lickme lifehack lifeisgood
lifetime light lighter lighthouse lightnin lightning lights lightsaber lilian lilith lillian lilly limpbizkit lincoln
linda lindros lindsay lindsey lineage lineage123 linkinpark lionel lionking lions lipstick liquid lisalisa lissalissa
lithium little littlebear littlebitch littlefuck littlegirl littleminge littleslut littlewhore liverpoo liverpool
liverpool1 liverpoolfc livestrong living lizard lizzie lkjhgfdsazx loaded lobster lockerroom logan logitech lokomotiv
lolipop lolita lollipop lollol lollypop lololyo123 london lonely lonestar lonewolf longbow longdong longhorn longjohn
looker looking looney looser lopez loploprock lorena lorenzo loretta lorraine losangeles loser losers lost4815162342
lothlorien lotrfotr34 lottie lotus louie louis louise loulou love777321777 lovebug loveforever loveislife loveit
loveless lovelife lovelove lovely loveme lover loverboy lovers lovesex loveyou lovezp1314 loving lowell lowrider
lp2568cskt lsia9dnb9y ltybcrf luansantana lucas lucifer lucifer666 lucille lucky luckycharm luckydog ludmila ludwig
lumber lumberjack luojianhua luther lvbnhbq lytdybrbdfvgbhf lytghjgtnhjdcr lzhan16889 m123456789 m6cjy69u35
ma123123123 macbeth macdaddy machine macross madagascar madagaskar madcat madden maddie maddog madeline madina madison
madman madmax madness madonna madrid maestro magazine magelan maggi maggie maggot magic magical magical123 magician
magick magicman magnet magnolia magnum magnus magpie maiden mailcreated5240 mailman maintenance maisuradze majestic
major makaveli maksim maksimka malachi malaka malcolm malibu malice malina mallard mallory malone mamapapa management
manager manchest manchester manchester1 mancity mandarin mandarinka mandingo mandragora mandy mango mangust6403 maniac
manila mankind manning manolo manowar manson mantis manuel manuela manutd mapet123456 mapleleafs maprchem56458
maradona marathon marble marcel marcello march marcia marco marcos marcus marcuseckos margaret margarita margherita
margie maria mariah mariamaria marian mariana marianna marianne marie marika marilyn marin marina marinamarina marine
mariners marines marino marinochka mario marion mariposa marisa marissa marius marjorie marker market markhegarty
markiz markus marlboro marlene marley marlin marlon married marseille marsha marshall martha marti martin martina
martine martinez martini marty marvel marvin maryann maryjane maryland masamune mashamasha mason massage massimiliano
massimo massive maste master masterbaiting masterbate masterbating mastercard masterchief mastermind masters
masturbate masturbation matador matchbox20 matematica matematika mathematics mathew matilda matrix matteo matthew
matthews matthias mattie mattylad10 mature maureen maurice maurolarastefy maverick maxell maxim maxima maxime
maximilian maximum maximus maxine maxmax maxmotives maxwell maxxxx mayday mayhem maynard mazafaka mazda mcdonald
mckenzie mclaren meagan meatball meathead meatloaf mechanic mechanical media medic medical medicine medion meditation
medusa megadeth megaman megan megapass megatron meghan meister melanie melinda melissa mellon mellow melody melvin
member memorex memory memphis menace mentor meowmeow mephisto mercedes mercury meredith meridian merlin merlot mermaid
mersedes messiah metal metallic metallica metallica1 method metropolis mevefalkcakk mexican mexico miami michae
michael michael123 michaela michaeljackson michaels micheal michel michele michell michelle michigan mickey
mickeymouse micro microlab micron microphone microsof microsoft midget midnight midway mighty miguel mihail mikemike
mikey milan milana milano mildred milena miles milfhunter military milkman millennium miller millerlite millertime
millie million millionaire millions millwall milton minecraft minecraft123 minerva minhasenha minicooper minime
minnesota_hp minnie miracle mirage miranda miriam mirror misery misfit misfits misha mishka misiaczek1 mission
mississippi missouri missy mister mistress misty mitch mitchell mitsubishi mittens mobile mobydick model models modena
mohamed mohammed mollie molly mollydog moloko molson mommy momoney momsanaladventure monaco monalisa monarch monday
mondeo money moneymaker moneyman moneymoney moneys mongoose monica monika monique monitor monke monkey monkeybo
monkeybutt monkeys monopoly monroe monster monster123 monsters montana monte montecarlo montenegro montgom240
montgomery montreal monty moocow mookie moomoo moonbeam moondog moonlight moore moose mordor moreno morgan
morganstanley moritz morning morpheus morris morrison mortal mortalkombat mortgage mortimer morton moscow moses moskva
mostwanted motdepasse mother motherfuck motherfucker motherlode motion motley motorcycle motorola mountain mouse
mousemouse mouth movie movies mozart msoracle32re msorcloledbr mudvayne muffin mulder mullet multimedia multiplelo
multiplelog munchkin muppet murcielago murder murphy murray musashi muscle muscles mushroom music musica musiclover
musicman mustafa mustang mustangs mustard mybaby mydick mygirl myjdxtcxks mykids mylife mylove myname mypass
mypassword myself mystery mystic nadine naked namaste nancy nanook napass napoleon napoli napster naruto nascar nasty
nastya nastya1995 nastya1996 nastya1997 nastya2010 nastyanastya natali natalia natalie natasha natasha123 nathalie
nathan nation national natural nature naughty naughtyboy nautilus navigation ncc1701a ncc1701d ncc1701e nccpl25282
ne_e_pod_chehyl nebraska necromancer necronomicon need4speed needforspeed nellie nelson nemesis nemvxyheqdd5oqxyxyzi
neptune nesterenko netscape network networkingpe nevada never neveragain nevergiveup nevermind neverwinter newbie
newcastl newcastle newlife newman neworleans newpass newpassword newport newproject2004 newton newyork newzealand
nextel nfnmzyf nfytxrf nguyen nhbujyjvtnhbz nhecsyfujkjdt nhfdvfnjkju123 nhfrnjhbcn nhfycajhvths niang niceass niceguy
nicholas nichole nick1234-rem936 nickel nicol nicola nicolas nicole nigga nigger night nightcrawler nightmare
nightmare1 nights nightshade nikita nikita1998 nikita2000 nikitos nikki nikola nikolaevna nikolay nimbus nimrod niners
ninja ninjas nintendo nintendo64 nipper nipple nipples nirvana nissan nissan350z nitram nitro nobody noelle nofear
nokia nokia6230i nokiadermo nolimit nomore nondriversig noodle noodles nookie noonehackme nopass nopassword normal
norman north northern norton norway norwich nostradamus nostromo nothing nottingham novell november novosibirsk
nthvbyfnjh nthvbyfnjh2 ntktajy ntktdbpjh1994 nuaddn9561 nudes nudist nugget nuggets number nurses nutmeg nutter
nuttertools nwo4life nygiants nyjets nylons nymets oakland oakley oasis oatmeal obelix obiwan oblivion oc247ngucz
ocean oceans october odessa office officer ohshit ohyeah oilers oklahoma oksana olcrackmaster oldman oldsmobile
olegnaruto olesya oliver olivia olivier omega omgkremidia onelove onetime onetwo onetwothree online onlyme
ontheoutside ontherocks opensesame openup operator optimus options oracle orange oranges orchid oregon orgasm orient
original orioles orion orlando orochimaru oscar osiris othello outkast outlaw overkill overlord oxford p030710p$e4o
p0o9i8u7y6 pa55w0rd pa55word pablo pacers pacific packard packer packers pacman paddle padres painkiller paint
paintbal paintball paintball1 painter pakistan palace paladin pallmall palmer palmtree paloma pamela panama panasoni
panasonic pancho panda pandemonium pandora pantera panther panthers panties pants pantyhos panzer paolo paper papito
paradigm paradise paradox paraklast1974 paranoid paris parker parliament parol12345 parola parolparol parrot partner
party pasadena pascal passat passes passion passmaster passme passpass passport passtrader passw0rd passwd passwor
password password00 password01 password10 password11 password12 password123 password1234 password13 password21
password22 password23 password69 password88 password99 passwordassword passwordpassword passwords passwordstandard
passwort pasword patches pathfinder patience patric patrice patricia patrick patriot patriots patton patty paula
paulie paulina pauline pavel pavilion pavlov payton pdtplf peace peacemaker peach peaches peacock peanut peanutbutter
peanuts pearl pearljam pebbles pecker pedro peekaboo peewee pegasus pelican pencil penelope penetrating penetration
penguin penguins penis penny penthous pentium people pepito pepper peppermint pepsi percussion perfect perfection
performance performing persik person personal pervert peter peternorth peterpan peters peterson petra petrov peugeot
peugeot406 peyton pfhfnecnhf pfqwtd27121988 phantom pharmacy pheonix phezc419hv philadelphia philip philippe
philippines philips phillies phillip phillips philly philosophy phish phoebe phoeni phoenix phone photo photos phpbb
physics piano pianoman piazza picard picasso piccolo pickle pickles pickup picture picturs pierce pierre pigeon piggy
piglet pikachu pillow pilot pimpin pinball pineappl pineapple pineapple1 pingpong pinhead pinkfloy pinkfloyd pinky
pioneer pipeline piper pippen pippin pippo piramida pirate pirates pisces pissing pissoff pistol pistons pitbull
pittsburgh pixies pizza pizzas placebo planet plasma plastic platinum platypus playboy player players playground
playing playstat playstatio playstation playstation2 playstation3 playtime please pleasure plhfdcndeq plumber pluto
plymouth pobeda pocket poetry pointblank pointbreak poison pokemon pokemon123 poker poland polaris police polina polly
polniypizdec0211 polniypizdec1102 polniypizdec110211 polopolo polopolo09 polska pompey poncho pontiac poochie poodle
poohbear pookie poontang pooper poopie poopoo pooppoop poopy pooter popcorn popeye popper poppy porkchop porno
pornografia pornographic pornography pornos pornporn pornstar porsche porsche911 porter portishead portland portsmouth
portugal poseidon positive possum postal postman postov1000 potato pothead potter powder powell power powerpower
powers praise prayer preacher precious predator prelude premier premium premiumcash presario presiden president
presidente presley presto preston pretty prettygirl primetime21 primus prince princes princess pringles printer
prisonbreak prissy private privet prodigy production professional profit program programmer progressive project
prometheus promise property prophet prosperity protection prowler proxy psychnaut1 psycho ptybnxtvgbjy public puddin
pudding puertorico puffin puffy pufunga7782 pulsar pumpkin pumpkins punisher punkin punkrock punksnotdead puppet
puppies puppy pupsik purdue purple pussey pussie pussies pussy pussybitch pussycat pussyeater pussylicker pussylover
pussyman pussypussy pussys putter pyfrjvcndj pyramid python q123456789 q1234567890 q1q2q3q4q5 q1w2e3r4t5 q1w2e3r4t5y6
q1w2e3r4t5y6u7 q1w2e3r4t5y6u7i8 q1w2e3r4t5y6u7i8o9p0 qawsed qawsedrf qawsedrftg qawsedrftgyh qaz123wsx456 qaz26101778
qazqaz qazws qazwsx qazwsx1234 qazwsx12345 qazwsx123456 qazwsxed qazwsxedc qazwsxedc1 qazwsxedc12 qazwsxedc123
qazwsxedcrfv qazwsxedcrfvtgb qazwsxqazwsx qazxsw qazxswedc qazxswedc123 qazxswedcvfr qazzaq qiang qiong qpwoeiruty
qq123456789 quality quant4307s quantum quartz quasar quattro queen queenas8151 queenie queens quentin quest question
quicksilver quiksilver quincy qwaszx qwaszxerdfcv qwe1234567 qwe123qwe qwe123qwe123 qweasd qweasdzxc qweasdzxc1
qweasdzxc12 qweasdzxc123 qweqwe qwerasdf qwerasdfzxcv qwert qwert12345 qwert54321 qwertasdfg qwertasdfgzxcvb
qwertgfdsa qwerttrewq qwerty qwerty1234 qwerty12345 qwerty123456 qwerty123456789 qwerty2010 qwertyasdfgh qwertyu
qwertyu123 qwertyui qwertyuio qwertyuiop qwertyuiop1 qwertyuiop10 qwertyuiop12 qwertyuiop123 qwertyuiop12345
qwertyytrewq r2d2c3po r3vi3wpass rabbit rabota racecar racer racerx rachael rachel racing radical radio radiohea
radiohead rafael ragnarok raider raiders railroad rainbow rainforest rainman raistlin ralph rambler rambo ramirez
rammstein rammstein1 ramona ramones rampage ramrod ramses ramsey rancid randall random randy ranger rangerover rangers
raptor raquel rascal rashley198 rasputin rasta rastaman rattlesnake raven ravens raymond razor rbhbkk rctybz reader
reading ready reagan reality really realmadrid reanimator reaper rebecca rebel rebels reckless record records recovery
redalert redbaron redbird redbull reddevil reddog reddwarf redemption redeye redfish redfox redhead redhot redline
redman redneck redrose redrum redskins redsox redwing redwings redwood reebok reefer reflex reggie regina register
reilly reload remember remote renata renault renee renegade report reptile rereirf rescue research resident
residentevil respect respublika retard retired revelation revenge review reviewpass revolution revolver reymysterio
reynolds rfcgthcrbq rfgecnfcerf rfhbyf rfhfrfnbwf rfhfvtkmrf rfkbajhybz rfkmrekznjh rfnfcnhjaf rfnfgekmnf rfnthbyf
rfnthbyf1988 rfrfirf rfrnec rhbcnbyf rhbcnbyjxrf rhfcjnrf rhfcyjzhcr rhfvfnjhcr rhiannon rhino rhjrjlbk rhonda
rhtdtlrj ricardo richard richards richardson richie richmond ricky rider rightnow riley ripken ripley ripper ripple
river rivera riverplate rivers rjhjkmbien rjhjktdf rjirfrgbde rjkjrjkmxbr rjntyjr rjycnbnewbz rjycnfynby rkfdbfnehf
roadkill roadking roadrunn roadrunner roadster robbie rober robert roberta roberto roberts robin robinson robot
robotech robotics rochelle rockandroll rockbottom rocker rocket rockets rockford rockhard rockhopper rockies rockon
rocks rockstar rocky rodman rodney roflcopter roger rogers roland roller rolling rollins rolltide roman romance romano
romanroman romans romashka romeo romero rommel ronald ronaldinho ronaldinho10 ronaldo ronaldo123 ronnie rookie rooney
rooster rootbeer roscoe rosebud rosemary rosie rotten rottweiler rover rovers roxanne royal royals rtyuehe rubber
rubberduck rubble rufus rugby rules rulez rulezzz runaway runescape runescape1 runner running rupert ruslan russell
russia russian rustam rusty s123456789 s1a2s3h4a5 s456123789 sabbath sabina sabine sabres sabrina sacramento sacred
sadie safari safety sagittarius sahara sailboat sailing sailor sailormoon saint saints sairam saiyan sakura salamander
salamandra salasana saleen sally salmon salome salomon salsero salvador samantha samara samiam sammie sammy sampson
samson samsun samsung samsung123 samtron samuel samurai sanandreas sanchez sancho sander sanders sandiego sandman
sandra sandrine sandro sandwich sandy sanfran sanfrancisco sanity santa santafe santamaria santana santiago santos
sapper sapphire saqartvelo sarah saratoga sascha sasha sasha12345 sashasasha sassy sasuke satan satana sataniv1993
satisfaction saturday saturn saun24865709 sauron sausage sausages savage savanna savannah sayang scandinavian scania
scanner scarface scarlet scarlett schalke schmidt school schoolgirlie schumacher science scooby scoobydo scoobydoo
scooter score scorpio scorpion scotch scotland scott scottie scotty scoubidou2 scoubidou6 scout scrabble scrappy
scratch scream screen script scruffy scuba scully sdh686drth sdicmt7seytn seabee seadoo seagull seahawks seamus searay
search season seattle sebastia sebastian sebastian1 second secret secrets secure security seeker seeking seemnemaailm
seinfeld sekret select selena selfok2013 seminole semperfi senator senators senior seniseviyor sensei sentinel
septembe september serega serena serendipity serenity sergeant sergeevich sergei sergey sergi sergio sersolution
server service service321 services sesame sevastopol seven severin sex4me sexmachine sexpistols sexsex sexual sexxxx
sexxxy sexyboy sexygirl sexyman sexysexy sf49ers shado shadow shadow1212 shadows shaggy shakespeare shalom shaman
shamanking shamrock shamus shane shang shanghai shania shanna shannon shanti shaolin shark sharks sharky sharon sharp
shasta shaved shawn shawna shazam shearer sheba sheena sheila shelby shelbygt500 shell shelley shelly shemale sheng
shepherd sheridan sheriff sherlock sherman sherri sherry sherwood shevchenko shibby shiloh shiner shinobi shirley
shitface shithappens shithead shitty shock shocker shogun shooter shopping short shorty shotgun showme showtime shuai
shuang shutup sidekick sidewinder sidney siemens sierra sigma silence silent silenthill silly silver silverad
silverstone silvia simba simferopol simmons simon simona simone simple simpleplan simpson simpsons sinatra sinbad
sinclair singer single sinister sinned sinner sirius sissy sister sisters sithlord sixers skate skateboard skater
skeeter skibum skidoo skiing skinner skinny skipper skippy skittles skorpion skorpion39 skydive skyhawk skylar skyler
skyline skywalke skywalker slacker slamdunk slapper slappy slapshot slater slave slavik slayer sleeper sleepy slick
slider slinky slipknot slipknot666 slippery slowhand sluggo sluts slutty small smallville smart smashing smeghead
smegma smelly smile smiles smiley smirnoff smith smiths smitty smoke smoker smokes smokey smokie smokin smoking smooth
smudge snake snakes snapon snapper snapple snappy snatch sneakers sneaky snickers sniper snooker snoop snoopdog snoopy
snowball snowboar snowboard snowflak snowman snuffy snuggles snusmumrik sobaka soccer socrates softail softball
software sojdlg123aljg soldier soleil solidsnake solitude solnce solomon solution someone somethin something
something1 sommer sonata sonia sonic sonics sonnenschein sonny sonoma sonyericsson sooner sooners sophi sophia sophie
soprano soso123aljg soulmate sound south southern southpar southpark sowhat space spaceman spam967888 spanish spank
spanking spankme spanky sparkle sparks sparky sparrow sparta spartak spartak1922 spartan spartan117 spartans spawn
speaker spears special specialinsta specialist specialk spectre spectrum speed speedo speedy spencer sphinx spice
spider spiderma spiderman spiderman1 spiderman3 spidey spike spiker spikes spikey spinner spirit spitfire splash
splinter spock sponge spongebo spongebob spooky spoon sport sporting sports sporty spotty spread spring springer
springfield springsteen sprint sprinter sprite spunky spurs sputnik spyder squall squash squeak squeeze squirrel
squirt srinivas ss6z2sw6lu stacey stacy stalin stalingrad stalker stalker123 stallion standard stanford stanislav
stanley staples starbuck starcraf starcraft starcraft2 stardust starfire starfish stargate starligh starman stars
starscream starship starstar start starter startrek starwars starwars123 stasik state static station statistika
stealth steam steamforums steel steele steeler steelers stefan stefanie stefano steffi stella stepan steph stephan
stephani stephanie stephanie1 stephen stereo sterlin sterling steve steven stevens stevie stewart stick stickdaddy77
sticks sticky stiffy stimpy sting stinger stingray stinker stinky stinkyfinger stocking stocks stolen stomatolog stone
stonecol stonecold stoned stonehenge stoner stones stoney store stories storm stormy straight strange stranger
stratocaster stratus strawberry street streetball strength stress stretch strider strike striker string strip stripper
stroke stroker strong stronghold stuart stubby student studio studioworks studly studman studmuffin stuff stumpy
stunner stupid styles stylus subaru sublime submit subscriber subway subzero success sucker suckers sucking suckit
suckme suckmycock suckmydick sucks sugar suicide sullivan sultan summer summertime summit sundance sunday sundaypunch
sunderland sundevil sunfire sunflowe sunflower sunflower1 sunglasses sunny sunnyday sunrise sunset sunshin sunshine
sunshine69 super superb superduper superfly superma superman superman12 superman123 supermanboy supermario
supernatural superpower superpuper supersonic supersta superstar supervisor support supreme surfer surfing survivor
susan susana susanne sushi sutton sutvsc5ysaa suzanne suzuki svensps820 sveta svetasveta svetik svetlana svoboda
swallow sweden sweet sweetdream sweetdreams sweetheart sweetie sweetiepie sweetnes sweetness sweetpea sweetpussy
sweets sweety swimmer swimming swinger swingers switch sword swordfis swordfish swords sydney sylvia sylviahans
syncmaster syracuse system systemofadown syzygy t34vfrc1991 t5r4e3w2q1 tabitha table54781 tacobell tacoma tadmichaels
talisman talon tamara tammy tamwsn3sja tango tanker tanner tanya tardis target tarheel tarheels tarzan tasha tasty
tatarin tatiana tattoo tatyana taurus taxman taylor taylormade tazman tazmania tbone tdfyutkbjy tdutybq tdutybz
teacher technician technics techniques techno technology teddy teddybea teddybear teenage teens tekken telecaster
telefon telephon television tempest templar temple temppass temppassword tennis tequila teresa terminal terminat
terminator terrapin terror terry tester testing testing123 testpass testtest texas thailand thanatos thanks thankyou
theater theatre thebeatles theboss thecakeisalie thecat thecrow thedog thedoors thedude theend thegame thegreat thekid
theking thelma theman theodore theone there theresa therock thesimpsons thesims thewho thing thirteen thirteen13
thisisit thoma thomas thompson thong thongs three threesom throat throatfuck thuglife thugstools thumbs thumper
thunder thunderb thunderbird thundercat thursday tiberius tiburon ticket ticketmaster tickle tiffany tiger tigers
tigertiger tigerwoods tigge tigger tight tights timber timberlake timberland timberwolf timmy timothy tinker tinkerbe
tinkerbell tinman tintin tipper titan titanic titanium titans titleist titten titties titty tkbpfdtnf toaster tobias
today toejam toffee together toilet tokiohotel toledo tolkien tomahawk tomato tombraider tomcat tommie tommy tommyboy
tomorrow tomtom tongue tonight toolman tootie tootsie topcat topdog topgun topher topper torino tornado toronto
torpedo torres toshiba tottenha tottenham tottenham1 towers toyota tracey tracker tractor tracy trader traffic train
trainer training trains trance tranny transam transexual transformer transformers transit translator trapper travel
traveler travis treasure trebor trevor trfnthbyf trial triangle tricia tricky trident trigger trinidad trinity triple
tripod tripper trisha tristan triton triumph trixie trojan trojans troll trombone trooper tropical trouble trout truck
trucker trucks truelove truman trumpet trunks trust trustnoone tsunami tucker tuesday tulips tunafish tundra tuning
tupacshakur turbo turkey turner turtle tweety twenty twilight twinkle twins twisted twister tyler tylerca310 typhoon
tyrone tyson ublhjgjybrf ubnkthrfgen ubvyfcnbrf ufhhbgjnnth ufkbyf ujkjdjkjvrf ukraine ultima ultimate ultra umbrella
umpire unbelievable uncencored undead undercover underdog undergroun underground understand undertak undertaker
underwater underworld unforgiven unicorn unique uniqueness united universal universe universidad university unknown
unreal upyours uranus ursula usarmy userexecute username usnavy usuckballz1 utopia utyyflmtdyf v123456789 vacation
vader vadim vaffanculo vagina valencia valentin valentina valentine valentinka valera valeri valeria valerie valhalla
valkyrie valley vampire vampires vanessa vanguard vanhalen vanilla vanyarespekt varvara vasilisa vbhjndjhtw vector
vectra vedder vegas vegeta velvet venera venice venom121293 ventura venus verbatim veritas verizon vermont vernon
verona veronica veronika versace vertigo verygoodbot vette vfczyz vfhbyf vfhbyfvfhbyf vfhecz vfhufhbnf vfhufhbnrf
vfhvtkflrf vfibyf vfitymrf vfksirf vflfufcrfh vfntvfnbrf vfrcbv vfrcbvrf vfrcbvtyrj vfrcbvvfrcbv vfvekz vfvfgfgf
vfvfgfgf123 vfvfvskfhfve vfvjxrf vfylfhbyrf viagra vickie victor victoria victory video vietnam viewsoni viewsonic
viking vikings viktor viktoria viktoriya villa village villeneuve vincent vinnie vinogradov vintage violet violetta
violin viper vipers virgil virgin virginia virtuagirl virtual vision visual vitalik vitalik123 vivian vjcrdf vkontakte
vladik vladimir vladimirovna vladislav vladislava vladivostok volcom volkswag volkswagen volley volleyball volume
volvo voodoo vortex voxstrange voyager voyeur vqsablpzla vsegda vsjasnel12 vulcan vyjujnjxbt w1w2w3w4w5 w2dlww3v5p
wachtwoord waffle wagner walker walkman555 wallace walleye wallstreet wally walmart walnut walrus walter wanderer
wanker wanted wapbbs warcraft wareagle warhammer warhammer40k warlock warlord warner warning warren warrior warriors
warthog wasabi washburn washingt washington wasser wassup wasted watch watcher water waterfalls waterloo watermelon
waters watson wayne wazzkaprivet wcrfxtvgbjy weasel weather weaver webber webhompas webhompass webmaste webmaster
websolutions websolutionssu webster webuivalidat wedding weezer weihnachte weihnachten weihnachtsbau weihnachtsbaum
weird welcom welcome welcome123 welder wellington wendy wenef45313 werder werewolf werner werty12345 wesley western
westham weston westside westwood wethepeople wetpussy wg8e3wjf whatever whatsup whatthefuck whatthehell wheels
whiskers whiskey whisky whisper white whiteout whitepower whitesox whitey whitney whocares whore whosyourdaddy whynot
wibble wicked widespread wifey wilbur wildbill wildcard wildcat wildcats wildfire wildman wildwood willia william
williams willie willis willow willy wilson winchester windmill window windows windsor windsurf wingman wings winner
winners winnie winnipeg261 winston winstonone winter wireless wisdom wishbone wishmaster wizard wolfgang wolfie
wolfman wolfpack wolverin wolverine wolverines wolves woman wombat women wonder wonderland wonderwall wonderwoman
woodie woodland woody woofer woofwoof woohoo wookie wordpass working world wraith wrangler wrench wrestle wrestlin
wrestling wrestling1 wright writer writerspace wutang wwwooo1234 xanadu xander xavier xerxes xfiles xiang xiaoyua123
xiong xpressmusic xtreme xxxp455w0rd5 xxxpass yamaha yankee yankees yanshi1982 ybrbnf ybrjkfq ybrjkftdbx ybrjkftdyf
yeahbaby yellow yfcnhjtybt yfcntymrf yfcnzyfcnz yfnfif yfnfitymrf yfnfkb yfnfkmz yjdsqgfhjkm yogibear yolanda yomama
yosemite yoshimitsu young yourmom yousuck yugioh yummy yvette yvonne yzerman z123456789 z1x2c3v4b5 z1x2c3v4b5n6
z1x2c3v4b5n6m7 zachary zalupa zander zanzibar zaphod zappa zaq12wsx zaq12wsxcde3 zaq1xsw2cde3 zaqwsx zaqwsxcderfv
zaqxsw zaqxswcde zaratustra zaraza zcfvfzkexifz zcxfcnkbdf zcxfcnkbdfz zebra zenith zephyr zeppelin zerocool
zexts364325 zhang zheng zhjckfd zhong zhuai zhuang zidane ziggy zigzag zildjian zipper zippo zippy zjses9evpa zodiac
zombie zorro zqjphsyf6ctifgu zvezda zx123456789 zxcasd zxcasdqwe zxcasdqwe123 zxcvb12345 zxcvbasdfg zxcvbn
zxcvbn123456 zxcvbn3215 zxcvbnm zxcvbnm123 zxcvbnm1234 zxcvbnm123456789 zxcvbnmmnbvcxz zzzxxx
$words$, '\s+') as word
where word <> '';

--! split: 030-tickets.sql
alter table app_public.tickets
  add column company_id uuid,
  add foreign key (organization_id, company_id) references app_public.companies on delete set null (company_id);

create index tickets_organization_id_company_id_updated_at_idx on app_public.tickets (organization_id, company_id, updated_at, id);

comment on column app_public.tickets.company_id is 'The company the requester worked for when it was opened.';

--! split: 080-audit.sql
alter table app_private.audit_heads add column changed_by xid8;

--! split: 1000-functions-00-common.sql
-- Claims: what a request says about its caller, set with `set local` by the server and the worker, read only here.
-- Written as `return` expressions: their names are bound when they are made, so that they need no search_path of their
-- own and the planner may put them in place of the call.

create or replace function app_hidden.current_organization_id() returns uuid
  language sql stable parallel safe
  return nullif(current_setting('atum.organization_id', true), '')::uuid;

comment on function app_hidden.current_organization_id() is 'The organization this transaction acts in, or null when nobody is known.';

create or replace function app_hidden.current_user_id() returns uuid
  language sql stable parallel safe
  return nullif(current_setting('atum.user_id', true), '')::uuid;

comment on function app_hidden.current_user_id() is 'The person this transaction acts for, or null for the system and for strangers.';

create or replace function app_hidden.current_session_id() returns uuid
  language sql stable parallel safe
  return nullif(current_setting('atum.session_id', true), '')::uuid;

comment on function app_hidden.current_session_id() is 'The session of a person who logged in, or null for API tokens, the system and strangers.';

create or replace function app_hidden.current_address() returns inet
  language sql stable parallel safe
  return nullif(current_setting('atum.ip_address', true), '')::inet;

comment on function app_hidden.current_address() is 'The address the request came from, or null.';

create or replace function app_hidden.acting_role() returns text
  language sql stable parallel safe
  -- Unlike current_user, the setting is not changed by entering a security definer function.
  return coalesce(nullif(current_setting('role', true), 'none'), session_user::text);

comment on function app_hidden.acting_role() is 'The database role that a request became, also inside security definer functions.';

create or replace function app_hidden.is_staff() returns boolean
  language sql stable parallel safe
  return app_hidden.acting_role() in ('atum_agent', 'atum_manager', 'atum_admin');

comment on function app_hidden.is_staff() is 'Whether the request acts as staff: agent, manager or admin.';

revoke all on function
  app_hidden.current_organization_id(), app_hidden.current_user_id(), app_hidden.current_session_id(),
  app_hidden.current_address(), app_hidden.acting_role(), app_hidden.is_staff()
from public;

grant execute on function
  app_hidden.current_organization_id(), app_hidden.current_user_id(), app_hidden.current_session_id(),
  app_hidden.current_address(), app_hidden.acting_role(), app_hidden.is_staff()
to atum_anonymous, atum_customer, atum_agent, atum_server, atum_worker;

-- Access starts from zero: every policy file calls this first, so that deleting a policy is deleting its lines.
create or replace function app_private.reset_access(target regclass) returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  existing record;
  organization_column text;
begin
  for existing in select polname from pg_catalog.pg_policy where polrelid = target loop
    execute format('drop policy %I on %s', existing.polname, target);
  end loop;

  for existing in
    select distinct grantee.rolname
    from (
      select relacl as acl from pg_catalog.pg_class where oid = target
      union all
      select attacl from pg_catalog.pg_attribute where attrelid = target and attacl is not null
    ) as lists
    cross join lateral pg_catalog.aclexplode(lists.acl) as item
    join pg_catalog.pg_roles as grantee on grantee.oid = item.grantee
    where grantee.rolname <> 'atum_owner'
  loop
    execute format('revoke all on %s from %I', target, existing.rolname);
  end loop;

  execute format('revoke all on %s from public', target);
  execute format('alter table %s enable row level security, force row level security', target);

  select attname into organization_column
  from pg_catalog.pg_attribute
  where attrelid = target and attname = 'organization_id' and not attisdropped;

  -- Definer functions run as the owner. Called for somebody they stay inside that organization like everybody else;
  -- only migrations and the few functions that run before anybody is known see all rows.
  execute format(
    'create policy all_owner on %1$s to atum_owner'
    ' using ((select app_hidden.current_organization_id()) is null or %2$I = (select app_hidden.current_organization_id()))'
    ' with check ((select app_hidden.current_organization_id()) is null or %2$I = (select app_hidden.current_organization_id()))',
    target, coalesce(organization_column, 'id')
  );
end
$$;

comment on function app_private.reset_access(regclass) is
  'Takes every policy and grant from a tenant table, enables and forces row-level security, and leaves the owner bound to the claims where there are any.';

create or replace function app_private.tg__stamp_updated_at() returns trigger
  language plpgsql
  set search_path = ''
as $$
begin
  -- An import may bring its own history; nobody but the owner has the right to name this column.
  if NEW.updated_at is not distinct from OLD.updated_at then
    NEW.updated_at := now();
  end if;
  return NEW;
end
$$;

comment on function app_private.tg__stamp_updated_at() is 'Keeps updated_at, unless the writer set it.';

-- Jobs. This is the only way in, because a job without an organization could not be run behind row-level security.
create or replace function app_private.enqueue(
  task text,
  organization_id uuid,
  payload jsonb default '{}',
  run_at timestamptz default null,
  job_key text default null,
  max_attempts integer default 25
) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  if organization_id is null then
    raise exception using errcode = 'AD301', message = format('The job %s has no organization', task);
  end if;

  perform graphile_worker.add_job(
    identifier => task,
    payload => (payload || jsonb_build_object('organizationId', organization_id))::json,
    run_at => run_at,
    max_attempts => max_attempts,
    job_key => job_key
  );
end
$$;

comment on function app_private.enqueue(text, uuid, jsonb, timestamptz, text, integer) is
  'Adds a job in this transaction. A job_key names it: adding again with the same key moves it. Error JOB_WITHOUT_ORGANIZATION when organization_id is null.';

create or replace function app_private.record_heartbeat(worker_id text, started_at timestamptz) returns void
  language sql volatile security definer
  set search_path = ''
as $$
  insert into app_private.worker_heartbeats as heartbeat (worker_id, started_at, seen_at)
  values (record_heartbeat.worker_id, record_heartbeat.started_at, clock_timestamp())
  on conflict (worker_id) do update set started_at = excluded.started_at, seen_at = excluded.seen_at;

  delete from app_private.worker_heartbeats where seen_at < clock_timestamp() - interval '1 day';
$$;

comment on function app_private.record_heartbeat(text, timestamptz) is 'A worker says that it is alive; those silent for a day are forgotten.';

create or replace function app_private.last_heartbeat_at() returns timestamptz
  language sql stable security definer
  set search_path = ''
as $$
  select max(seen_at) from app_private.worker_heartbeats
$$;

comment on function app_private.last_heartbeat_at() is 'When a worker was last heard of.';

create or replace function app_private.last_migration() returns text
  language sql stable security definer
  set search_path = ''
as $$
  select filename from graphile_migrate.migrations order by filename desc limit 1
$$;

comment on function app_private.last_migration() is 'The file name of the last committed migration this database has.';

-- The catalog's own view of the walls, for the health endpoint and the tests.
create or replace function app_private.tenant_tables()
  returns table (table_name text, organization_column text, row_security boolean, forced boolean)
  language sql stable
  set search_path = ''
as $$
  select
    format('%I.%I', namespace.nspname, class.relname),
    case when class.oid = 'app_public.organizations'::regclass then 'id' else 'organization_id' end,
    class.relrowsecurity,
    class.relforcerowsecurity
  from pg_catalog.pg_class as class
  join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
  where class.relkind in ('r', 'p')
    and namespace.nspname in ('app_public', 'app_hidden', 'app_private')
    and (
      class.oid = 'app_public.organizations'::regclass
      or exists (
        select
        from pg_catalog.pg_attribute as attribute
        where attribute.attrelid = class.oid and attribute.attname = 'organization_id' and not attribute.attisdropped
      )
    )
  order by 1
$$;

comment on function app_private.tenant_tables() is 'Every table that holds rows of organizations, and whether its row-level security is enabled and forced.';

create or replace function app_private.wall_faults() returns setof text
  language sql stable
  set search_path = ''
as $$
  with ours as (
    select class.oid, format('%I.%I', namespace.nspname, class.relname) as table_name
    from pg_catalog.pg_class as class
    join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
    where class.relkind in ('r', 'p') and namespace.nspname in ('app_public', 'app_hidden', 'app_private')
  ),
  unaudited (table_name) as (
    values
      ('app_public.audit_log'), ('app_private.audit_heads'), ('app_private.ticket_counters'),
      -- The login it belongs to is recorded as an act.
      ('app_private.login_challenges')
  )
  select format('%s has no row-level security', table_name)
  from app_private.tenant_tables()
  where not row_security
  union all
  select format('%s does not force row-level security on its owner', table_name)
  from app_private.tenant_tables()
  where row_security and not forced
  union all
  -- The table that forgot the column is the likeliest mistake. Those named here belong to no organization.
  select format('%s belongs to no organization', table_name)
  from ours
  where table_name not in (select tenant.table_name from app_private.tenant_tables() as tenant)
    and table_name not in (
      'app_private.worker_heartbeats', 'app_private.login_failures', 'app_private.rate_buckets', 'app_private.common_passwords'
    )
  union all
  select format('%s is not audited', tenant.table_name)
  from app_private.tenant_tables() as tenant
  where tenant.table_name not in (select unaudited.table_name from unaudited)
    and not exists (
      select
      from pg_catalog.pg_trigger as trigger
      where trigger.tgrelid = to_regclass(tenant.table_name) and trigger.tgname = '_900_audit' and trigger.tgenabled <> 'D'
    )
  union all
  select format('the trigger %s of %s is switched off', trigger.tgname, ours.table_name)
  from ours
  join pg_catalog.pg_trigger as trigger on trigger.tgrelid = ours.oid
  where not trigger.tgisinternal and trigger.tgenabled = 'D' and trigger.tgname <> '_900_audit'
$$;

comment on function app_private.wall_faults() is 'What the catalog shows to be wrong with the walls between organizations and with the audit log; nothing when they stand.';

create or replace function app_private.rls_probe_organizations() returns uuid[]
  language sql stable security definer
  set search_path = ''
as $$
  select coalesce(array_agg(id), '{}') from (select id from app_public.organizations order by id limit 2) as two
$$;

comment on function app_private.rls_probe_organizations() is 'Up to two organizations for the health endpoint to probe the walls between.';

revoke all on function
  app_private.reset_access(regclass), app_private.tg__stamp_updated_at(),
  app_private.enqueue(text, uuid, jsonb, timestamptz, text, integer),
  app_private.record_heartbeat(text, timestamptz), app_private.last_heartbeat_at(), app_private.last_migration(),
  app_private.tenant_tables(), app_private.wall_faults(), app_private.rls_probe_organizations()
from public;

grant execute on function app_private.record_heartbeat(text, timestamptz) to atum_worker;
grant execute on function app_private.enqueue(text, uuid, jsonb, timestamptz, text, integer) to atum_worker;
grant execute on function
  app_private.last_heartbeat_at(), app_private.last_migration(), app_private.tenant_tables(), app_private.wall_faults(),
  app_private.rls_probe_organizations()
to atum_server;

--! split: 1010-functions-10-organizations.sql
create or replace function app_public.current_organization() returns app_public.organizations
  language sql stable
  set search_path = ''
as $$
  select * from app_public.organizations where id = (select app_hidden.current_organization_id())
$$;

comment on function app_public.current_organization() is 'The organization of the caller, or null when nobody is logged in.';

create or replace function app_private.organization_ids() returns setof uuid
  language sql stable security definer
  set search_path = ''
as $$
  select id from app_public.organizations order by id
$$;

comment on function app_private.organization_ids() is 'Every organization, for jobs that go from one to the next.';

create or replace function app_private.create_organization(
  slug text,
  name text,
  time_zone text default 'Etc/UTC',
  locale text default 'en',
  ticket_prefix text default 'ATUM',
  hours jsonb default '"always_open"'
) returns uuid
  language plpgsql volatile
  set search_path = ''
as $$
declare
  new_organization_id uuid;
  new_calendar_id uuid;
  new_policy_id uuid;
begin
  insert into app_public.organizations (slug, name, time_zone, locale, ticket_prefix)
  values (slug, name, time_zone, locale, ticket_prefix)
  returning id into new_organization_id;

  insert into app_private.ticket_counters (organization_id) values (new_organization_id);
  insert into app_public.security_policies (organization_id) values (new_organization_id);

  insert into app_public.sla_calendars (organization_id, name, time_zone, hours)
  values (new_organization_id, 'Working hours', time_zone, hours)
  returning id into new_calendar_id;

  insert into app_public.sla_policies (organization_id, name, calendar_id)
  values (new_organization_id, 'Standard', new_calendar_id)
  returning id into new_policy_id;

  insert into app_public.sla_targets (organization_id, policy_id, priority, kind, working_seconds)
  select new_organization_id, new_policy_id, target.priority::app_public.ticket_priority, target.kind::app_public.sla_target_kind, target.hours * 3600
  from (
    values
      ('urgent', 'first_response', 1), ('urgent', 'resolution', 8),
      ('high', 'first_response', 2), ('high', 'resolution', 16),
      ('normal', 'first_response', 4), ('normal', 'resolution', 32),
      ('low', 'first_response', 8), ('low', 'resolution', 64)
  ) as target (priority, kind, hours);

  return new_organization_id;
end
$$;

comment on function app_private.create_organization(text, text, text, text, text, jsonb) is
  'Makes an organization with a calendar and a standard service level policy, ready for its first ticket. Returns its id.';

-- The operator of the installation makes and closes organizations, and sees nothing inside them.

create or replace function app_private.found_organization(
  slug text, name text, admin_email text, admin_name text, time_zone text default 'Etc/UTC', locale text default 'en', ticket_prefix text default 'ATUM'
) returns text
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  new_admin app_public.users;
  mail_id uuid;
begin
  -- The one before, where several are made in one transaction.
  perform set_config('atum.organization_id', '', true);
  perform set_config(
    'atum.organization_id', app_private.create_organization(slug, name, time_zone, locale, ticket_prefix)::text, true
  );

  insert into app_public.users (organization_id, email, name, role, activated_at)
  values (app_hidden.current_organization_id(), admin_email, admin_name, 'admin', null)
  returning * into new_admin;

  insert into app_private.account_mails (organization_id, user_id, purpose, expires_at, delivery)
  values (new_admin.organization_id, new_admin.id, 'invitation', now() + interval '7 days', 'handed_over')
  returning id into mail_id;
  return app_private.issue_account_token(mail_id);
end
$$;

comment on function app_private.found_organization(text, text, text, text, text, text, text) is
  'Makes an organization with its first admin, and returns the token of the admin''s invitation, good for 7 days: `/invitation#token=…`. For the operator.';

create or replace function app_private.suspend_organization(slug text, suspended boolean default true) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  update app_public.organizations as organization
  set suspended_at = case when suspended then coalesce(organization.suspended_at, now()) end
  where organization.slug = suspend_organization.slug;
  return found;
end
$$;

comment on function app_private.suspend_organization(text, boolean) is 'Closes an organization for a time, or with false opens it again; false when there is none of this name. Within a second nobody of it gets in, and open sockets close. For the operator.';

create or replace function app_private.organizations_overview()
  returns table (slug text, name text, created_at timestamptz, suspended_at timestamptz, people bigint)
  language sql stable security definer
  set search_path = ''
as $$
  select organization.slug, organization.name, organization.created_at, organization.suspended_at,
    (select count(*) from app_public.users as person where person.organization_id = organization.id)
  from app_public.organizations as organization
  order by organization.slug
$$;

comment on function app_private.organizations_overview() is 'The organizations of the installation, and how many people each has. For the operator.';

create or replace function app_private.tg_organizations__tell_servers() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.tell_servers('organization', NEW.id);
  return null;
end
$$;

comment on function app_private.tg_organizations__tell_servers() is 'Has every server close or open an organization.';

create or replace trigger _800_tell_servers after update of suspended_at on app_public.organizations
  for each row when (NEW.suspended_at is distinct from OLD.suspended_at)
  execute function app_private.tg_organizations__tell_servers();

create or replace trigger _100_stamp_updated_at before update on app_public.organizations
  for each row execute function app_private.tg__stamp_updated_at();

create or replace trigger _100_stamp_updated_at before update on app_public.teams
  for each row execute function app_private.tg__stamp_updated_at();

create or replace trigger _100_stamp_updated_at before update on app_public.services
  for each row execute function app_private.tg__stamp_updated_at();

revoke all on function
  app_public.current_organization(), app_private.organization_ids(),
  app_private.create_organization(text, text, text, text, text, jsonb),
  app_private.found_organization(text, text, text, text, text, text, text),
  app_private.suspend_organization(text, boolean), app_private.organizations_overview(),
  app_private.tg_organizations__tell_servers()
from public;

grant execute on function app_public.current_organization() to atum_anonymous, atum_customer, atum_agent;
grant execute on function app_private.organization_ids() to atum_worker;
grant execute on function
  app_private.found_organization(text, text, text, text, text, text, text),
  app_private.suspend_organization(text, boolean), app_private.organizations_overview()
to atum_operator;

--! split: 1012-functions-12-companies.sql
create or replace function app_hidden.shared_company_id() returns uuid
  language sql stable security definer
  set search_path = ''
as $$
  select company.id
  from app_public.users as person
  join app_public.companies as company on company.organization_id = person.organization_id and company.id = person.company_id
  where person.organization_id = app_hidden.current_organization_id() and person.id = app_hidden.current_user_id()
    and company.shares_tickets
$$;

comment on function app_hidden.shared_company_id() is 'The caller''s company, where its people share their tickets; otherwise null.';

create or replace function app_public.create_company(name text, shares_tickets boolean default false) returns app_public.companies
  language sql volatile security definer
  set search_path = ''
as $$
  insert into app_public.companies (organization_id, name, shares_tickets)
  values (app_hidden.current_organization_id(), btrim(create_company.name), coalesce(create_company.shares_tickets, false))
  returning *
$$;

comment on function app_public.create_company(text, boolean) is 'Makes a customer account and returns it. Admins only. Errors: CONFLICT for a name that is taken, INVALID_INPUT.';

create or replace function app_public.delete_company(company_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  delete from app_public.companies as company
  where company.organization_id = app_hidden.current_organization_id() and company.id = delete_company.company_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such company';
  end if;
  return true;
end
$$;

comment on function app_public.delete_company(uuid) is 'Removes a company. Its people and tickets stay, and belong to none. Admins only. Error NOT_FOUND.';

create or replace function app_private.tg_companies__tell_servers() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.tell_servers('user', person.id)
  from app_public.users as person
  where person.organization_id = NEW.organization_id and person.company_id = NEW.id;
  return null;
end
$$;

comment on function app_private.tg_companies__tell_servers() is 'Has the servers close the sockets of people who see other tickets from now on.';

create or replace trigger _800_tell_servers after update of shares_tickets on app_public.companies
  for each row when (NEW.shares_tickets <> OLD.shares_tickets)
  execute function app_private.tg_companies__tell_servers();

create or replace trigger _100_stamp_updated_at before update on app_public.companies
  for each row execute function app_private.tg__stamp_updated_at();

revoke all on function
  app_hidden.shared_company_id(), app_public.create_company(text, boolean), app_public.delete_company(uuid),
  app_private.tg_companies__tell_servers()
from public;

grant execute on function app_hidden.shared_company_id() to atum_customer, atum_agent;
grant execute on function app_public.create_company(text, boolean), app_public.delete_company(uuid) to atum_admin;

--! split: 1014-functions-14-security-policies.sql
create or replace function app_public.current_security_policy() returns app_public.security_policies
  language sql stable
  set search_path = ''
as $$
  select * from app_public.security_policies where organization_id = (select app_hidden.current_organization_id())
$$;

comment on function app_public.current_security_policy() is 'How people of the organization get in. Admins only.';

create or replace function app_private.can_break_glass(organization_id uuid, except_id uuid default null) returns boolean
  language sql stable
  set search_path = ''
as $$
  select exists (
    select
    from app_public.users as person
    join app_private.user_secrets as secret on secret.organization_id = person.organization_id and secret.user_id = person.id
    where person.organization_id = can_break_glass.organization_id and person.id is distinct from except_id
      and person.is_break_glass and person.role = 'admin' and person.disabled_at is null and person.activated_at is not null
  )
$$;

comment on function app_private.can_break_glass(uuid, uuid) is 'Whether an admin, besides the one named, gets in by password while local login is off.';

create or replace function app_public.change_security_policy(
  two_factor_roles app_public.user_role[] default null,
  registration_domains text[] default null,
  local_login boolean default null
) returns app_public.security_policies
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  changed app_public.security_policies;
begin
  if exists (
    select from unnest(change_security_policy.registration_domains) as domain
    where (lower(domain) ~ '^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$') is not true
  ) then
    raise exception using errcode = '23514', message = 'A mail domain is written like example.com';
  end if;

  perform app_private.subject_of_claims();

  -- One after the other with whoever takes the break-glass account away.
  perform from app_public.organizations where id = app_hidden.current_organization_id() for no key update;

  update app_public.security_policies as policy
  set
    two_factor_roles = coalesce(array_remove(change_security_policy.two_factor_roles, null), policy.two_factor_roles),
    registration_domains = case
      when change_security_policy.registration_domains is null then policy.registration_domains
      else array(select distinct lower(domain) from unnest(change_security_policy.registration_domains) as domain order by 1)
    end,
    local_login = coalesce(change_security_policy.local_login, policy.local_login)
  where policy.organization_id = app_hidden.current_organization_id()
  returning * into changed;

  if not changed.local_login and not app_private.can_break_glass(changed.organization_id) then
    raise exception using
      errcode = 'AD007', message = 'Name a break-glass admin with a password before local login is turned off';
  end if;
  return changed;
end
$$;

comment on function app_public.change_security_policy(app_public.user_role[], text[], boolean) is
  'Changes what is given and leaves the rest. People whose role must now have a second factor and who have none are logged out, and enrol one at the next login. Local login is turned off only where a break-glass admin can get in. Admins only. Errors: LAST_ADMIN, INVALID_INPUT, UNAUTHENTICATED, SESSION_REQUIRED.';

create or replace function app_private.tg_security_policies__end_sessions() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  update app_private.sessions as session
  set revoked_at = now()
  from app_public.users as person
  where session.organization_id = NEW.organization_id
    and person.organization_id = session.organization_id and person.id = session.user_id
    and session.revoked_at is null and session.expires_at > now()
    and person.role = any (NEW.two_factor_roles) and person.role <> all (OLD.two_factor_roles)
    and not exists (
      select
      from app_private.authenticators as authenticator
      where authenticator.organization_id = person.organization_id and authenticator.user_id = person.id
        and authenticator.confirmed_at is not null
    )
    -- Whoever decides it enrols at the next login, and sees now what was saved.
    and session.id is distinct from app_hidden.current_session_id();
  return null;
end
$$;

comment on function app_private.tg_security_policies__end_sessions() is 'Logs out those who must now have a second factor and have none.';

create or replace trigger _500_end_sessions after update of two_factor_roles on app_public.security_policies
  for each row execute function app_private.tg_security_policies__end_sessions();

create or replace trigger _100_stamp_updated_at before update on app_public.security_policies
  for each row execute function app_private.tg__stamp_updated_at();

revoke all on function
  app_private.can_break_glass(uuid, uuid), app_public.current_security_policy(), app_public.change_security_policy(app_public.user_role[], text[], boolean),
  app_private.tg_security_policies__end_sessions()
from public;

grant execute on function
  app_public.current_security_policy(), app_public.change_security_policy(app_public.user_role[], text[], boolean)
to atum_admin;

--! split: 1016-functions-16-ip-rules.sql
create or replace function app_hidden.plain_address(address inet) returns inet
  language sql immutable parallel safe
  return case
    when family(address) = 6 and address <<= '::ffff:0:0/96'::inet
      then set_masklen(substr(host(address), 8)::inet, masklen(address) - 96)
    else address
  end;

comment on function app_hidden.plain_address(inet) is 'An IPv4 address or network that is written inside IPv6 (`::ffff:192.0.2.7`) as IPv4; any other as it is.';

create or replace function app_hidden.network_of(address inet) returns cidr
  language sql immutable parallel safe
  return case family(app_hidden.plain_address(address))
    when 6 then set_masklen(app_hidden.plain_address(address), 64)::cidr
    else app_hidden.plain_address(address)::cidr
  end;

comment on function app_hidden.network_of(inet) is 'What one customer has: an IPv4 address, or the /64 of an IPv6 address.';

create or replace function app_private.ip_allowed(organization_id uuid, role app_public.user_role, address inet) returns boolean
  language sql stable security definer
  set search_path = ''
as $$
  with applicable as (
    select rule.network
    from app_public.ip_rules as rule
    where rule.organization_id = ip_allowed.organization_id
      and rule.role is not distinct from case
        when exists (
          select
          from app_public.ip_rules as own
          where own.organization_id = ip_allowed.organization_id and own.role = ip_allowed.role
        ) then ip_allowed.role
      end
  )
  select not exists (select from applicable)
    or exists (select from applicable where app_hidden.plain_address(ip_allowed.address) <<= network::inet)
$$;

comment on function app_private.ip_allowed(uuid, app_public.user_role, inet) is 'Whether a person of this role may come from this address.';

create or replace function app_private.refuse_own_lockout(accept_lockout boolean) returns void
  language plpgsql stable
  set search_path = ''
as $$
begin
  if not accept_lockout
    and app_hidden.current_address() is not null
    and not app_private.ip_allowed(
      app_hidden.current_organization_id(),
      (
        select person.role
        from app_public.users as person
        where person.organization_id = app_hidden.current_organization_id() and person.id = app_hidden.current_user_id()
      ),
      app_hidden.current_address()
    )
  then
    raise exception using
      errcode = 'AD008',
      message = format('This would refuse your own address %s', host(app_hidden.current_address()));
  end if;
end
$$;

comment on function app_private.refuse_own_lockout(boolean) is 'Refuses rules that would keep out the admin who makes them. Error WOULD_LOCK_YOU_OUT.';

create or replace function app_public.add_ip_rule(
  network cidr,
  role app_public.user_role default null,
  note text default null,
  accept_lockout boolean default false
) returns app_public.ip_rules
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  made app_public.ip_rules;
begin
  perform app_private.subject_of_claims();

  insert into app_public.ip_rules (organization_id, role, network, note)
  values (app_hidden.current_organization_id(), add_ip_rule.role, app_hidden.plain_address(add_ip_rule.network)::cidr, add_ip_rule.note)
  returning * into made;

  perform app_private.refuse_own_lockout(coalesce(accept_lockout, false));
  return made;
end
$$;

comment on function app_public.add_ip_rule(cidr, app_public.user_role, text, boolean) is
  'Allows a network, for one role or for every role without rules of its own, and returns the rule. Admins only. Errors: WOULD_LOCK_YOU_OUT when the caller''s own address would be refused and `acceptLockout` was not said, CONFLICT for a rule that is there, INVALID_INPUT, UNAUTHENTICATED, SESSION_REQUIRED.';

create or replace function app_public.remove_ip_rule(rule_id uuid, accept_lockout boolean default false) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  perform app_private.subject_of_claims();

  delete from app_public.ip_rules as rule
  where rule.organization_id = app_hidden.current_organization_id() and rule.id = remove_ip_rule.rule_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such rule';
  end if;

  perform app_private.refuse_own_lockout(coalesce(accept_lockout, false));
  return true;
end
$$;

comment on function app_public.remove_ip_rule(uuid, boolean) is
  'Removes a rule. Without any rule people may come from everywhere. Admins only. Errors: NOT_FOUND, WOULD_LOCK_YOU_OUT, UNAUTHENTICATED, SESSION_REQUIRED.';

create or replace function app_private.tg_ip_rules__tell_servers() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.tell_servers('ip_rules', coalesce(NEW.organization_id, OLD.organization_id));
  return null;
end
$$;

comment on function app_private.tg_ip_rules__tell_servers() is 'Has every server ask anew who may come from where.';

create or replace trigger _800_tell_servers after insert or update or delete on app_public.ip_rules
  for each row execute function app_private.tg_ip_rules__tell_servers();

revoke all on function
  app_hidden.plain_address(inet), app_hidden.network_of(inet), app_private.ip_allowed(uuid, app_public.user_role, inet),
  app_private.refuse_own_lockout(boolean), app_public.add_ip_rule(cidr, app_public.user_role, text, boolean),
  app_public.remove_ip_rule(uuid, boolean), app_private.tg_ip_rules__tell_servers()
from public;

grant execute on function app_private.ip_allowed(uuid, app_public.user_role, inet) to atum_server;
grant execute on function app_public.add_ip_rule(cidr, app_public.user_role, text, boolean), app_public.remove_ip_rule(uuid, boolean)
to atum_admin;

--! split: 1017-functions-17-identity-providers.sql
create or replace function app_private.login_methods(organization_slug text) returns jsonb
  language sql stable security definer
  set search_path = ''
as $$
  select jsonb_build_object(
    'organization', case when organization.id is not null then jsonb_build_object('slug', organization.slug, 'name', organization.name) end,
    'localLogin', coalesce(policy.local_login, true),
    'registration', coalesce(policy.local_login and cardinality(policy.registration_domains) > 0, false),
    'providers', coalesce(
      (
        select jsonb_agg(jsonb_build_object('id', provider.id, 'name', provider.name, 'kind', provider.kind) order by provider.name)
        from app_public.identity_providers as provider
        where provider.organization_id = organization.id and provider.is_enabled
      ),
      '[]'
    )
  )
  from (select 1) as always
  left join app_public.organizations as organization
    on organization.slug = login_methods.organization_slug and organization.suspended_at is null
  left join app_public.security_policies as policy on policy.organization_id = organization.id
$$;

comment on function app_private.login_methods(text) is 'What the login page of an organization offers: `{organization, localLogin, registration, providers}`. An unknown organization offers a password.';

create or replace function app_private.identity_provider(provider_id uuid) returns jsonb
  language sql stable security definer
  set search_path = ''
as $$
  select jsonb_build_object(
    'id', provider.id, 'organizationId', provider.organization_id, 'organizationSlug', organization.slug,
    'kind', provider.kind, 'name', provider.name,
    'issuer', provider.issuer, 'clientId', provider.client_id, 'scopes', provider.scopes,
    'url', provider.url, 'baseDn', provider.base_dn, 'bindDn', provider.bind_dn, 'userFilter', provider.user_filter,
    'subjectAttribute', provider.subject_attribute, 'emailAttribute', provider.email_attribute,
    'nameAttribute', provider.name_attribute, 'roleClaim', provider.role_claim, 'secret', secret.sealed
  )
  from app_public.identity_providers as provider
  join app_public.organizations as organization on organization.id = provider.organization_id
  left join app_private.identity_provider_secrets as secret
    on secret.organization_id = provider.organization_id and secret.provider_id = provider.id
  where provider.id = identity_provider.provider_id and provider.is_enabled and organization.suspended_at is null
$$;

comment on function app_private.identity_provider(uuid) is 'How to ask an identity provider, its secret encrypted; null when it is not there, is off, or its organization is suspended.';

create or replace function app_private.set_identity_provider_secret(provider_id uuid, secret text) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  if (app_private.subject_of_claims()).role <> 'admin' then
    raise exception using errcode = '42501', message = 'Only admins set secrets';
  end if;
  insert into app_private.identity_provider_secrets as stored (organization_id, provider_id, sealed)
  select provider.organization_id, provider.id, secret
  from app_public.identity_providers as provider
  where provider.organization_id = app_hidden.current_organization_id() and provider.id = set_identity_provider_secret.provider_id
  on conflict on constraint identity_provider_secrets_pkey do update set sealed = excluded.sealed, updated_at = now();
  return jsonb_build_object('outcome', case when found then 'ok' else 'not_found' end);
end
$$;

comment on function app_private.set_identity_provider_secret(uuid, text) is 'Stores the encrypted client secret or bind password of an identity provider: `ok`, `not_found`. Admins only.';

create or replace function app_public.save_identity_provider(
  kind app_public.identity_provider_kind,
  name text,
  provider_id uuid default null,
  is_enabled boolean default true,
  issuer text default null,
  client_id text default null,
  scopes text[] default '{openid,email,profile}',
  url text default null,
  base_dn text default null,
  bind_dn text default null,
  user_filter text default null,
  subject_attribute text default 'entryUUID',
  email_attribute text default 'mail',
  name_attribute text default 'cn',
  role_claim text default null,
  role_mapping jsonb default '{}',
  default_role app_public.user_role default null,
  makes_people boolean default true,
  asks_second_factor boolean default false
) returns app_public.identity_providers
  language plpgsql volatile security definer
  set search_path = ''
as $$
#variable_conflict use_column
declare
  saved app_public.identity_providers;
begin
  perform app_private.subject_of_claims();

  if jsonb_typeof(save_identity_provider.role_mapping) <> 'object' or exists (
    select
    from jsonb_path_query(save_identity_provider.role_mapping, 'strict $.*') as mapped_role
    where mapped_role not in ('"customer"', '"agent"', '"manager"', '"admin"')
  ) then
    raise exception using errcode = 'AD013', message = 'A group is mapped to customer, agent, manager or admin';
  end if;

  if save_identity_provider.provider_id is null then
    insert into app_public.identity_providers (
      organization_id, kind, name, is_enabled, issuer, client_id, scopes, url, base_dn, bind_dn, user_filter,
      subject_attribute, email_attribute, name_attribute, role_claim, role_mapping, default_role, makes_people,
      asks_second_factor
    )
    values (
      app_hidden.current_organization_id(), save_identity_provider.kind, save_identity_provider.name,
      save_identity_provider.is_enabled, save_identity_provider.issuer, save_identity_provider.client_id,
      save_identity_provider.scopes, save_identity_provider.url, save_identity_provider.base_dn,
      save_identity_provider.bind_dn, save_identity_provider.user_filter,
      save_identity_provider.subject_attribute, save_identity_provider.email_attribute,
      save_identity_provider.name_attribute, save_identity_provider.role_claim,
      save_identity_provider.role_mapping, save_identity_provider.default_role,
      save_identity_provider.makes_people, save_identity_provider.asks_second_factor
    )
    returning * into saved;
  else
    -- A secret is for the one it was given for: where another is asked from now on, it is given anew.
    delete from app_private.identity_provider_secrets as secret
    using app_public.identity_providers as former
    where former.organization_id = app_hidden.current_organization_id() and former.id = save_identity_provider.provider_id
      and secret.organization_id = former.organization_id and secret.provider_id = former.id
      and (former.kind, former.issuer, former.client_id, former.url, former.bind_dn) is distinct from (
        save_identity_provider.kind, save_identity_provider.issuer, save_identity_provider.client_id,
        save_identity_provider.url, save_identity_provider.bind_dn
      );

    update app_public.identity_providers as provider
    set
      kind = save_identity_provider.kind,
      name = save_identity_provider.name,
      is_enabled = save_identity_provider.is_enabled,
      issuer = save_identity_provider.issuer,
      client_id = save_identity_provider.client_id,
      scopes = save_identity_provider.scopes,
      url = save_identity_provider.url,
      base_dn = save_identity_provider.base_dn,
      bind_dn = save_identity_provider.bind_dn,
      user_filter = save_identity_provider.user_filter,
      subject_attribute = save_identity_provider.subject_attribute,
      email_attribute = save_identity_provider.email_attribute,
      name_attribute = save_identity_provider.name_attribute,
      role_claim = save_identity_provider.role_claim,
      role_mapping = save_identity_provider.role_mapping,
      default_role = save_identity_provider.default_role,
      makes_people = save_identity_provider.makes_people,
      asks_second_factor = save_identity_provider.asks_second_factor
    where provider.organization_id = app_hidden.current_organization_id() and provider.id = save_identity_provider.provider_id
    returning * into saved;
    if not found then
      raise exception using errcode = 'AD101', message = 'There is no such identity provider';
    end if;
  end if;
  return saved;
end
$$;

comment on function app_public.save_identity_provider(
  app_public.identity_provider_kind, text, uuid, boolean, text, text, text[], text, text, text, text, text, text, text, text, jsonb,
  app_public.user_role, boolean, boolean
) is
  'Adds an identity provider, or with `providerId` replaces its settings, and returns it. Its secret is written apart, by `POST /api/v1/auth/identity-provider-secret`, and anew where another address, client or account is asked with it. Switching it off ends the sessions it opened. Admins only. Errors: IDENTITY_PROVIDER_INVALID for a mapping to what is no role, INVALID_INPUT for settings that do not fit the kind, CONFLICT for a name that is taken, NOT_FOUND, UNAUTHENTICATED, SESSION_REQUIRED.';

create or replace function app_public.identity_providers_has_secret(provider app_public.identity_providers) returns boolean
  language sql stable security definer
  set search_path = ''
as $$
  select exists (
    select
    from app_private.identity_provider_secrets as secret
    where secret.organization_id = app_hidden.current_organization_id()
      and secret.organization_id = provider.organization_id and secret.provider_id = provider.id
  )
$$;

comment on function app_public.identity_providers_has_secret(app_public.identity_providers) is 'Whether a client secret or bind password is stored. Admins only.';

create or replace function app_public.delete_identity_provider(provider_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
begin
  perform app_private.subject_of_claims();

  delete from app_public.identity_providers as provider
  where provider.organization_id = app_hidden.current_organization_id() and provider.id = delete_identity_provider.provider_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such identity provider';
  end if;
  return true;
end
$$;

comment on function app_public.delete_identity_provider(uuid) is 'Removes an identity provider, its secret and whom it means, and ends the sessions it opened. People stay. Admins only. Errors: NOT_FOUND, UNAUTHENTICATED, SESSION_REQUIRED.';

create or replace function app_private.tg_identity_providers__end_sessions() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  delete from app_private.login_challenges as challenge
  where challenge.organization_id = OLD.organization_id and challenge.identity_provider_id = OLD.id;

  update app_private.sessions as session
  set revoked_at = now()
  where session.organization_id = OLD.organization_id and session.identity_provider_id = OLD.id
    and session.revoked_at is null and session.expires_at > now();
  return coalesce(NEW, OLD);
end
$$;

comment on function app_private.tg_identity_providers__end_sessions() is 'Ends the sessions that a provider opened which is no longer trusted, and the logins by it that wait for their second step.';

create or replace trigger _500_end_sessions before delete on app_public.identity_providers
  for each row execute function app_private.tg_identity_providers__end_sessions();

create or replace trigger _510_end_sessions_when_off before update of is_enabled on app_public.identity_providers
  for each row when (OLD.is_enabled and not NEW.is_enabled)
  execute function app_private.tg_identity_providers__end_sessions();

create or replace trigger _100_stamp_updated_at before update on app_public.identity_providers
  for each row execute function app_private.tg__stamp_updated_at();

revoke all on function
  app_private.login_methods(text), app_private.identity_provider(uuid), app_private.set_identity_provider_secret(uuid, text),
  app_public.save_identity_provider(
    app_public.identity_provider_kind, text, uuid, boolean, text, text, text[], text, text, text, text, text, text, text, text, jsonb,
    app_public.user_role, boolean, boolean
  ),
  app_public.identity_providers_has_secret(app_public.identity_providers), app_public.delete_identity_provider(uuid),
  app_private.tg_identity_providers__end_sessions()
from public;

grant execute on function
  app_private.login_methods(text), app_private.identity_provider(uuid), app_private.set_identity_provider_secret(uuid, text)
to atum_server;
grant execute on function
  app_public.save_identity_provider(
    app_public.identity_provider_kind, text, uuid, boolean, text, text, text[], text, text, text, text, text, text, text, text, jsonb,
    app_public.user_role, boolean, boolean
  ),
  app_public.identity_providers_has_secret(app_public.identity_providers), app_public.delete_identity_provider(uuid)
to atum_admin;

--! split: 1018-functions-18-sealed-secrets.sql
-- For the rotation of the encryption key: what the server encrypted is handed out and taken back encrypted.

create or replace function app_private.reencrypt_list()
  returns table (table_name text, organization_id uuid, row_id uuid, secret text)
  language sql stable
  set search_path = ''
as $$
  select 'app_private.authenticators', authenticator.organization_id, authenticator.user_id, authenticator.sealed
  from app_private.authenticators as authenticator
  union all
  select 'app_private.identity_provider_secrets', provider.organization_id, provider.provider_id, provider.sealed
  from app_private.identity_provider_secrets as provider
  union all
  select 'app_private.sessions', session.organization_id, session.id, session.id_token
  from app_private.sessions as session
  where session.id_token is not null and session.revoked_at is null
$$;

comment on function app_private.reencrypt_list() is 'Everything that is encrypted with a key of the server. Run by the owner.';

create or replace function app_private.reencrypt(table_name text, organization_id uuid, row_id uuid, before text, after text)
  returns boolean
  language plpgsql volatile
  set search_path = ''
as $$
begin
  case reencrypt.table_name
    when 'app_private.authenticators' then
      update app_private.authenticators as stored set sealed = reencrypt.after
      where stored.organization_id = reencrypt.organization_id and stored.user_id = reencrypt.row_id and stored.sealed = reencrypt.before;
    when 'app_private.identity_provider_secrets' then
      update app_private.identity_provider_secrets as stored set sealed = reencrypt.after
      where stored.organization_id = reencrypt.organization_id and stored.provider_id = reencrypt.row_id and stored.sealed = reencrypt.before;
    when 'app_private.sessions' then
      update app_private.sessions as stored set id_token = reencrypt.after
      where stored.organization_id = reencrypt.organization_id and stored.id = reencrypt.row_id and stored.id_token = reencrypt.before;
  end case;
  return found;
end
$$;

comment on function app_private.reencrypt(text, uuid, uuid, text, text) is 'Stores a secret encrypted anew; false when somebody changed it meanwhile. Run by the owner.';

revoke all on function app_private.reencrypt_list(), app_private.reencrypt(text, uuid, uuid, text, text) from public;

--! split: 1020-functions-20-identity.sql
create or replace function app_public."current_user"() returns app_public.users
  language sql stable security definer
  set search_path = ''
as $$
  -- Definer, because a customer may read the own mail address and nobody else's.
  select *
  from app_public.users
  where organization_id = (select app_hidden.current_organization_id())
    and id = (select app_hidden.current_user_id())
$$;

comment on function app_public."current_user"() is 'The person who is logged in, or null.';

create or replace function app_private.refuse_weak_password(password text, subject app_public.users, is_demo boolean) returns void
  language plpgsql stable
  set search_path = ''
as $$
begin
  if octet_length(password) > 72 then
    raise exception using errcode = 'AD003', message = 'A password has at most 72 bytes';
  end if;
  if length(password) < 10 then
    raise exception using errcode = 'AD005', message = 'A password has at least 10 characters';
  end if;
  if exists (select from app_private.common_passwords as common where common.password in (
      lower(refuse_weak_password.password),
      -- A common word that somebody made longer with digits and signs.
      lower(regexp_replace(refuse_weak_password.password, '[^[:alpha:]]+$', ''))
    ))
    or lower(password) in (lower(subject.name), lower(subject.email::text), lower(split_part(subject.email::text, '@', 1)))
    or password ~ '^(.)\1*$'
    -- What the demo is opened with stands in our own handbook.
    or (not is_demo and lower(password) ~ '^atum[^[:alpha:]]*(desk[^[:alpha:]]*)?(demo[^[:alpha:]]*)?$')
  then
    raise exception using errcode = 'AD006', message = 'Many people use this password, or it is the own name or ours';
  end if;
end
$$;

comment on function app_private.refuse_weak_password(text, app_public.users, boolean) is
  'At least 10 characters, at most 72 bytes, not among the common passwords nor one of them with digits or signs at its end, not the own name or address, not one character repeated, and except in the demo not the name of this software; nothing else is asked for. Errors PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG, PASSWORD_COMMON.';

create or replace function app_private.set_password(organization_id uuid, user_id uuid, password text, is_demo boolean default false)
  returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  subject app_public.users;
begin
  select * into strict subject
  from app_public.users as person
  where person.organization_id = set_password.organization_id and person.id = set_password.user_id;

  perform app_private.refuse_weak_password(password, subject, set_password.is_demo);

  -- Cost 10: about 50 ms on the machine this was measured on, the least that OWASP accepts for bcrypt.
  insert into app_private.user_secrets as secret (organization_id, user_id, password_hash, is_demo)
  values (set_password.organization_id, set_password.user_id, public.crypt(password, public.gen_salt('bf', 10)), set_password.is_demo)
  on conflict on constraint user_secrets_pkey
  do update set password_hash = excluded.password_hash, is_demo = excluded.is_demo, updated_at = now();

  perform app_private.spend_links_of(subject.organization_id, subject.id);
end
$$;

comment on function app_private.set_password(uuid, uuid, text, boolean) is 'Stores the bcrypt hash of a password, and spends the links the person was sent before. Errors PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG, PASSWORD_COMMON.';

create or replace function app_private.identity_of(subject app_public.users) returns jsonb
  language sql stable
  set search_path = ''
as $$
  select jsonb_build_object(
    'id', subject.id,
    'name', subject.name,
    'email', subject.email,
    'role', subject.role,
    'locale', coalesce(subject.locale, organization.locale),
    'timeZone', coalesce(subject.time_zone, organization.time_zone),
    'organization', jsonb_build_object('id', organization.id, 'slug', organization.slug, 'name', organization.name)
  )
  from app_public.organizations as organization
  where organization.id = subject.organization_id
$$;

comment on function app_private.identity_of(app_public.users) is 'What the server tells a client about the person who just logged in, and puts into the access token.';

create or replace function app_private.subject_of_claims() returns app_public.users
  language plpgsql stable
  set search_path = ''
as $$
declare
  subject app_public.users;
begin
  if app_hidden.current_user_id() is null then
    raise exception using errcode = 'AD001', message = 'Log in first';
  end if;
  if app_hidden.current_session_id() is null then
    raise exception using errcode = 'AD004', message = 'Only a person who logged in may do that, not an API token';
  end if;

  select * into strict subject
  from app_public.users
  where organization_id = app_hidden.current_organization_id() and id = app_hidden.current_user_id();
  return subject;
end
$$;

comment on function app_private.subject_of_claims() is 'The person who logged in. Errors UNAUTHENTICATED for strangers, SESSION_REQUIRED for API tokens.';

create or replace function app_private.tg_users__refuse_api_token() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  -- The owner, and a provider that says who somebody is, act as no request role.
  if app_hidden.acting_role() in ('atum_customer', 'atum_agent', 'atum_manager', 'atum_admin') then
    perform app_private.subject_of_claims();
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_users__refuse_api_token() is 'Whoever found an API token makes nobody an admin, takes no address over and shuts nobody out. Errors SESSION_REQUIRED, UNAUTHENTICATED.';

create or replace trigger _150_refuse_api_token before update of email, role, disabled_at, is_break_glass on app_public.users
  for each row
  when (
    NEW.email is distinct from OLD.email or NEW.role is distinct from OLD.role
    or NEW.disabled_at is distinct from OLD.disabled_at or NEW.is_break_glass is distinct from OLD.is_break_glass
  )
  execute function app_private.tg_users__refuse_api_token();

create or replace function app_private.tg_users__refuse() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  if OLD.id = app_hidden.current_user_id()
    and (NEW.role <> OLD.role or (NEW.disabled_at is not null and OLD.disabled_at is null))
  then
    raise exception using errcode = 'AD009', message = 'Another admin changes your role or shuts your account';
  end if;

  if OLD.role = 'admin' and OLD.disabled_at is null
    and (NEW.role <> 'admin' or NEW.disabled_at is not null or (OLD.is_break_glass and not NEW.is_break_glass))
  then
    -- Two admins who demote each other at the same moment come one after the other.
    perform from app_public.organizations where id = OLD.organization_id for no key update;

    if (NEW.role <> 'admin' or NEW.disabled_at is not null) and not exists (
      select
      from app_public.users as other
      where other.organization_id = OLD.organization_id and other.id <> OLD.id
        and other.role = 'admin' and other.disabled_at is null and other.activated_at is not null
    ) then
      raise exception using errcode = 'AD007', message = 'The organization needs an admin who can log in';
    end if;

    if OLD.is_break_glass
      and not app_private.can_break_glass(OLD.organization_id, OLD.id)
      and exists (
        select from app_public.security_policies as policy
        where policy.organization_id = OLD.organization_id and not policy.local_login
      )
    then
      raise exception using errcode = 'AD007', message = 'While local login is off, the organization needs a break-glass admin';
    end if;
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_users__refuse() is 'Keeps an admin who can log in, also one who may break the glass while local login is off, and lets nobody change the own role or shut the own account. Errors LAST_ADMIN, NOT_YOURSELF.';

create or replace trigger _200_refuse before update of role, disabled_at, is_break_glass on app_public.users
  for each row execute function app_private.tg_users__refuse();

create or replace function app_private.tg_users__end_sessions() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.end_sessions_of(NEW.organization_id, NEW.id);
  if NEW.disabled_at is not null then
    perform app_private.revoke_api_tokens_of(NEW.organization_id, NEW.id);
  end if;
  -- API tokens carry the role too.
  perform app_private.tell_servers('user', NEW.id);
  return null;
end
$$;

comment on function app_private.tg_users__end_sessions() is 'Ends the sessions of a person who was disabled or whose role changed, revokes the API tokens of one who was disabled, and has the servers forget what they knew of the person.';

create or replace trigger _500_end_sessions after update of disabled_at, role on app_public.users
  for each row
  when (NEW.disabled_at is distinct from OLD.disabled_at or NEW.role <> OLD.role)
  execute function app_private.tg_users__end_sessions();

create or replace function app_private.tg_users__spend_links() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.spend_links_of(NEW.organization_id, NEW.id);
  return null;
end
$$;

comment on function app_private.tg_users__spend_links() is 'What was sent to an address that is no longer the person''s, or before the person had come, opens nothing any more.';

create or replace trigger _500_spend_links after update of email, activated_at on app_public.users
  for each row when (NEW.email is distinct from OLD.email or (OLD.activated_at is null and NEW.activated_at is not null))
  execute function app_private.tg_users__spend_links();

create or replace function app_private.tg_users__tell_old_address() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.write_account_mail(NEW, 'address_changed', OLD.email::text);
  return null;
end
$$;

comment on function app_private.tg_users__tell_old_address() is 'Whose address it was learns that it no longer is. Who never came is told nothing.';

create or replace trigger _600_tell_old_address after update of email on app_public.users
  for each row when (NEW.email is distinct from OLD.email and OLD.activated_at is not null)
  execute function app_private.tg_users__tell_old_address();

create or replace function app_private.tg_users__tell_servers() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.tell_servers('user', NEW.id);
  return null;
end
$$;

comment on function app_private.tg_users__tell_servers() is 'Has the servers close the sockets of a person who sees other tickets from now on: they come back and listen where they should.';

create or replace function app_private.tg_team_members__tell_servers() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.tell_servers('user', person.id)
  from app_public.users as person
  where person.organization_id = coalesce(NEW.organization_id, OLD.organization_id)
    and person.id = coalesce(NEW.user_id, OLD.user_id) and person.restricted_to_teams;
  return null;
end
$$;

comment on function app_private.tg_team_members__tell_servers() is 'Has the servers close the sockets of an agent who sees other tickets from now on.';

create or replace trigger _800_tell_servers after insert or delete on app_public.team_members
  for each row execute function app_private.tg_team_members__tell_servers();

create or replace trigger _800_tell_servers after update of restricted_to_teams, company_id on app_public.users
  for each row
  when (NEW.restricted_to_teams <> OLD.restricted_to_teams or NEW.company_id is distinct from OLD.company_id)
  execute function app_private.tg_users__tell_servers();

create or replace trigger _100_stamp_updated_at before update on app_public.users
  for each row execute function app_private.tg__stamp_updated_at();

revoke all on function
  app_public."current_user"(), app_private.refuse_weak_password(text, app_public.users, boolean),
  app_private.set_password(uuid, uuid, text, boolean), app_private.identity_of(app_public.users),
  app_private.subject_of_claims(), app_private.tg_users__refuse_api_token(), app_private.tg_users__refuse(),
  app_private.tg_users__end_sessions(), app_private.tg_users__spend_links(), app_private.tg_users__tell_old_address(), app_private.tg_users__tell_servers(),
  app_private.tg_team_members__tell_servers()
from public;

grant execute on function app_public."current_user"() to atum_anonymous, atum_customer, atum_agent;

--! split: 1021-functions-21-login.sql
-- Logging in: who has proved who they are is let in, asked for a second factor, or told why not.

create or replace function app_private.admit(
  subject app_public.users,
  proof text,
  ip_address inet,
  user_agent text,
  provider_id uuid default null,
  id_token text default null
) returns jsonb
  language plpgsql volatile
  set search_path = ''
as $$
declare
  policy app_public.security_policies;
  refused text;
  purpose text;
  challenge text;
begin
  perform app_private.act_for(subject);

  select * into policy from app_public.security_policies as security_policy where security_policy.organization_id = subject.organization_id;

  select case
    when organization.suspended_at is not null then 'organization_suspended'
    when not app_private.ip_allowed(subject.organization_id, subject.role, admit.ip_address) then 'address_not_allowed'
    when subject.activated_at is null then 'email_not_verified'
    when proof = 'password' and not policy.local_login and not subject.is_break_glass then 'local_login_off'
  end
  into refused
  from app_public.organizations as organization
  where organization.id = subject.organization_id;

  if refused is not null then
    perform app_private.append_audit(
      subject.organization_id, 'login_refused', 'app_public.users', subject.id, null, jsonb_build_object('reason', refused)
    );
    return jsonb_build_object('outcome', refused);
  end if;

  if proof = 'password' or (
    proof = 'provider' and not exists (
      select
      from app_public.identity_providers as provider
      where provider.organization_id = subject.organization_id and provider.id = admit.provider_id and provider.asks_second_factor
    )
  ) then
    purpose := case
      when exists (
        select
        from app_private.authenticators as authenticator
        where authenticator.organization_id = subject.organization_id and authenticator.user_id = subject.id
          and authenticator.confirmed_at is not null
      ) then 'verify'
      when subject.role = any (policy.two_factor_roles) then 'enrol'
    end;
  end if;

  if purpose is not null then
    challenge := encode(public.gen_random_bytes(32), 'hex');
    insert into app_private.login_challenges (
      organization_id, user_id, challenge_hash, purpose, proof, identity_provider_id, id_token
    )
    values (
      subject.organization_id, subject.id, app_private.token_hash(challenge), purpose, admit.proof, admit.provider_id, admit.id_token
    );
    return jsonb_build_object(
      'outcome', case purpose when 'verify' then 'two_factor_required' else 'two_factor_enrolment' end,
      'challenge', challenge
    );
  end if;

  perform app_private.append_audit(
    subject.organization_id, 'login', 'app_public.users', subject.id, null, jsonb_build_object('proof', proof)
  );
  return app_private.open_session(subject, admit.ip_address, admit.user_agent, admit.provider_id, admit.id_token);
end
$$;

comment on function app_private.admit(app_public.users, text, inet, text, uuid, text) is
  'Lets in a person who proved who they are by `password`, `provider` or `second_factor`: `{outcome: ok, user, sessionId, refreshToken}`, a challenge (`two_factor_required`, `two_factor_enrolment`), or why not: `organization_suspended`, `address_not_allowed`, `email_not_verified`, `local_login_off`.';

create or replace function app_private.mail_address(given text) returns public.citext
  language sql immutable
  set search_path = ''
as $$
  select case when given ~ '^[!-?A-~]+@[!-?A-~]+$' then lower(given)::public.citext end
$$;

comment on function app_private.mail_address(text) is 'A mail address as it is looked for; null for what holds letters that might fold into others, which nobody has.';

create or replace function app_private.log_in(
  email text,
  password text,
  organization_slug text,
  demo_allowed boolean,
  ip_address inet,
  user_agent text
) returns jsonb
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  -- The hash of nothing anybody knows: comparing with it costs what comparing with a real one costs.
  unmatchable constant text := '$2a$10$7EqJtq98hPqEX7fNZaFWoOhi5z5rB0FLW8q5sYV8yQ1q6l7u1Qk2e';
  address constant citext := app_private.mail_address(log_in.email);
  candidate record;
  wait integer;
  longest_wait integer := 0;
  compared integer := 0;
  matching app_public.users[] := '{}';
  matching_hash text;
  failing app_public.users[] := '{}';
begin
  for candidate in
    select person, secret.password_hash, secret.is_demo
    from app_public.users as person
    join app_public.organizations as organization on organization.id = person.organization_id
    left join app_private.user_secrets as secret on secret.organization_id = person.organization_id and secret.user_id = person.id
    where person.email = address
      and (organization_slug is null or organization.slug = organization_slug)
    order by person.organization_id
  loop
    -- Each account has a throttle of its own, or whoever has one with this address elsewhere could lift this one's.
    wait := app_private.login_wait((candidate.person).id::text, log_in.ip_address, (candidate.person).id);
    longest_wait := greatest(longest_wait, wait);
    continue when wait > 0;

    compared := compared + 1;
    if crypt(password, coalesce(candidate.password_hash, unmatchable)) = candidate.password_hash
      and (candidate.person).disabled_at is null
      and (demo_allowed or not candidate.is_demo)
    then
      matching := matching || candidate.person;
      matching_hash := candidate.password_hash;
    else
      failing := failing || candidate.person;
    end if;
  end loop;

  if cardinality(matching) = 0 and cardinality(failing) = 0 then
    if longest_wait = 0 then
      longest_wait := app_private.login_wait('mail ' || lower(left(log_in.email, 254)), log_in.ip_address);
    end if;
    if longest_wait > 0 then
      return jsonb_build_object('outcome', 'too_many_attempts', 'retryAfterSeconds', longest_wait);
    end if;
  end if;

  -- An unknown address takes as long as a known one, and one organization as long as two.
  while compared < 2 loop
    perform crypt(password, unmatchable);
    compared := compared + 1;
  end loop;

  if cardinality(matching) > 1 then
    return jsonb_build_object(
      'outcome', 'organization_required',
      'organizations', (
        select jsonb_agg(jsonb_build_object('slug', organization.slug, 'name', organization.name) order by organization.name)
        from unnest(matching) as person
        join app_public.organizations as organization on organization.id = person.organization_id
      )
    );
  end if;

  if cardinality(matching) = 1 then
    -- A password that was replaced while it was compared lets nobody in; and whoever replaces it now waits, and ends
    -- what is opened here.
    perform
    from app_private.user_secrets as secret
    where secret.organization_id = matching[1].organization_id and secret.user_id = matching[1].id
      and secret.password_hash = matching_hash
    for share;
    if not found then
      return jsonb_build_object('outcome', 'invalid_credentials');
    end if;

    perform app_private.forget_login_failures(matching[1].id::text, log_in.ip_address);
    return app_private.admit(matching[1], 'password', log_in.ip_address, log_in.user_agent);
  end if;

  -- A wrong password is recorded where the person is, an unknown address in the platform's own chain: both write.
  perform app_private.append_audit(
    coalesce(account.organization_id, app_hidden.platform_scope()), act.operation, 'app_public.users', account.user_id,
    null, jsonb_build_object('email', left(log_in.email, 254))
  )
  from (
    select person.organization_id, person.id as user_id, person.id::text as name from unnest(failing) as person
    union all
    select null, null, 'mail ' || lower(left(log_in.email, 254)) where cardinality(failing) = 0
  ) as account
  cross join lateral (
    select 'login_failed' as operation
    union all
    select 'lockout' where app_private.count_login_failure(account.name, log_in.ip_address)
  ) as act;

  return jsonb_build_object('outcome', 'invalid_credentials');
end
$$;

comment on function app_private.log_in(text, text, text, boolean, inet, text) is
  'Answers whether this address and password are somebody: what `admit` answers, `{outcome: organization_required, organizations}` when they are right in several organizations, `{outcome: too_many_attempts, retryAfterSeconds}`, or `{outcome: invalid_credentials}`. Never raises for wrong ones, so that the failure is recorded.';

revoke all on function
  app_private.admit(app_public.users, text, inet, text, uuid, text), app_private.mail_address(text),
  app_private.log_in(text, text, text, boolean, inet, text)
from public;

grant execute on function app_private.log_in(text, text, text, boolean, inet, text) to atum_server;

--! split: 1022-functions-22-sessions.sql
-- Before anybody is known. Each function answers one question and runs without claims, until it knows who it is.

create or replace function app_private.tell_servers(kind text, id uuid) returns void
  language sql volatile
  set search_path = ''
as $$
  select pg_notify('atum_revocations', json_build_object('kind', kind, 'id', id)::text)
$$;

comment on function app_private.tell_servers(text, uuid) is 'Tells every server that what it knows of a `session`, `user`, `organization`, the `ip_rules` of an organization or an `api_token` no longer holds.';

-- A refresh token is 96 hexadecimal digits: the family of the session, 16 random bytes, and a secret, 32 random bytes.

create or replace function app_private.refresh_token_family(refresh_token text) returns bytea
  language sql immutable strict
  set search_path = ''
as $$
  select case when refresh_token ~ '^[0-9a-f]{96}$' then decode(left(refresh_token, 32), 'hex') end
$$;

comment on function app_private.refresh_token_family(text) is 'The family a refresh token belongs to; null for what is no refresh token.';

create or replace function app_private.token_hash(token text) returns bytea
  language sql immutable strict
  set search_path = ''
as $$
  select sha256(convert_to(token, 'UTF8'))
$$;

comment on function app_private.token_hash(text) is 'What is kept of a random token.';

create or replace function app_private.act_for(subject app_public.users) returns void
  language sql volatile
  set search_path = ''
as $$
  select set_config('atum.organization_id', subject.organization_id::text, true), set_config('atum.user_id', subject.id::text, true)
$$;

comment on function app_private.act_for(app_public.users) is 'From here on the transaction acts for a person who has proved who they are.';

create or replace function app_private.open_session(
  subject app_public.users,
  ip_address inet,
  user_agent text,
  provider_id uuid default null,
  id_token text default null
) returns jsonb
  language plpgsql volatile
  set search_path = ''
as $$
declare
  refresh_token constant text := encode(public.gen_random_bytes(48), 'hex');
  session_id uuid;
begin
  insert into app_private.sessions (
    organization_id, user_id, family, refresh_token_hash, expires_at, ip_address, user_agent, identity_provider_id, id_token
  )
  values (
    subject.organization_id, subject.id, app_private.refresh_token_family(refresh_token),
    app_private.token_hash(refresh_token), now() + interval '14 days',
    open_session.ip_address, left(open_session.user_agent, 400), open_session.provider_id, open_session.id_token
  )
  returning id into session_id;

  return jsonb_build_object(
    'outcome', 'ok',
    'user', app_private.identity_of(subject),
    'sessionId', session_id,
    'refreshToken', refresh_token
  );
end
$$;

comment on function app_private.open_session(app_public.users, inet, text, uuid, text) is 'Starts a session and returns it with its first refresh token, which is stored only as a hash.';

create or replace function app_private.refresh_session(refresh_token text, ip_address inet, user_agent text) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  shown_hash constant bytea := app_private.token_hash(refresh_token);
  next_token constant text := left(refresh_token, 32) || encode(public.gen_random_bytes(32), 'hex');
  current_session app_private.sessions;
  subject app_public.users;
  is_spent boolean;
  refused text;
begin
  select * into current_session
  from app_private.sessions
  where family = app_private.refresh_token_family(refresh_token)
  for update;

  if not found or current_session.revoked_at is not null or current_session.expires_at <= now()
    or current_session.refreshed_at <= now() - interval '7 days'
  then
    return jsonb_build_object('outcome', 'session_expired');
  end if;

  select * into subject
  from app_public.users
  where organization_id = current_session.organization_id and id = current_session.user_id;

  if subject.disabled_at is not null then
    return jsonb_build_object('outcome', 'session_expired');
  end if;

  perform app_private.act_for(subject);

  is_spent := current_session.refresh_token_hash <> shown_hash;

  -- Two tabs may have asked at once: for a moment the token before still answers, but makes no new one.
  if is_spent and (
    current_session.previous_refresh_token_hash is distinct from shown_hash
    or current_session.refreshed_at <= now() - interval '15 seconds'
  ) then
    -- However old it is: whoever has it, has it besides somebody else.
    update app_private.sessions set revoked_at = now()
    where organization_id = current_session.organization_id and id = current_session.id;
    perform app_private.append_audit(
      subject.organization_id, 'refresh_token_reused', 'app_private.sessions', current_session.id, null, null
    );
    perform app_private.write_account_mail(subject, 'refresh_token_reused');
    return jsonb_build_object('outcome', 'session_expired');
  end if;

  select case
    when organization.suspended_at is not null then 'organization_suspended'
    when not app_private.ip_allowed(subject.organization_id, subject.role, refresh_session.ip_address) then 'address_not_allowed'
  end
  into refused
  from app_public.organizations as organization
  where organization.id = subject.organization_id;

  if refused is not null then
    return jsonb_build_object('outcome', refused);
  end if;

  if is_spent then
    return jsonb_build_object('outcome', 'ok', 'user', app_private.identity_of(subject), 'sessionId', current_session.id);
  end if;

  update app_private.sessions
  set
    refresh_token_hash = app_private.token_hash(next_token),
    previous_refresh_token_hash = shown_hash,
    refreshed_at = now(),
    ip_address = refresh_session.ip_address,
    user_agent = left(refresh_session.user_agent, 400)
  where organization_id = current_session.organization_id and id = current_session.id;

  return jsonb_build_object(
    'outcome', 'ok',
    'user', app_private.identity_of(subject),
    'sessionId', current_session.id,
    'refreshToken', next_token
  );
end
$$;

comment on function app_private.refresh_session(text, inet, text) is
  'Exchanges a refresh token for the next one: `{outcome: ok, user, sessionId, refreshToken}`, `{outcome: session_expired}`, `organization_suspended` or `address_not_allowed`. A session that was not used for 7 days has ended. Showing a spent token, however old, ends the session and is told to the person.';

create or replace function app_private.log_out(refresh_token text) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  ended app_private.sessions;
begin
  -- By family, so that a refresh that is under way ends with it.
  update app_private.sessions
  set revoked_at = now()
  where family = app_private.refresh_token_family(refresh_token) and revoked_at is null
  returning * into ended;

  perform app_private.act_for(person)
  from app_public.users as person
  where person.organization_id = ended.organization_id and person.id = ended.user_id;

  return case
    when ended.identity_provider_id is not null
      then jsonb_build_object('providerId', ended.identity_provider_id, 'idToken', ended.id_token)
  end;
end
$$;

comment on function app_private.log_out(text) is 'Ends the session of a refresh token. Returns `{providerId, idToken}` when an identity provider let the person in, so that they can log out there too; otherwise null. An unknown token is not an error.';

create or replace function app_private.end_sessions_of(organization_id uuid, user_id uuid, except_id uuid default null) returns integer
  language sql volatile
  set search_path = ''
as $$
  -- A login that waits for its second step would be a session in a moment.
  with forgotten as (
    delete from app_private.login_challenges as challenge
    where challenge.organization_id = end_sessions_of.organization_id and challenge.user_id = end_sessions_of.user_id
  ),
  ended as (
    update app_private.sessions as session
    set revoked_at = now()
    where session.organization_id = end_sessions_of.organization_id and session.user_id = end_sessions_of.user_id
      and session.revoked_at is null and session.expires_at > now()
      and session.id is distinct from except_id
    returning 1
  )
  select count(*)::integer from ended
$$;

comment on function app_private.end_sessions_of(uuid, uuid, uuid) is 'Ends every session of a person but one, and says how many; forgets the logins that wait for their second step.';

create or replace function app_private.tg_sessions__tell_servers() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.tell_servers('session', NEW.id);
  return null;
end
$$;

comment on function app_private.tg_sessions__tell_servers() is 'Has every server refuse a session that ended.';

create or replace trigger _800_tell_servers after update of revoked_at on app_private.sessions
  for each row when (NEW.revoked_at is not null and OLD.revoked_at is null)
  execute function app_private.tg_sessions__tell_servers();

create or replace function app_private.session_is_live(organization_id uuid, session_id uuid) returns boolean
  language sql stable security definer
  set search_path = ''
as $$
  select exists (
    select
    from app_private.sessions as session
    join app_public.organizations as organization on organization.id = session.organization_id
    where session.organization_id = session_is_live.organization_id and session.id = session_is_live.session_id
      and session.revoked_at is null and session.expires_at > now() and organization.suspended_at is null
  )
$$;

comment on function app_private.session_is_live(uuid, uuid) is 'Whether a session still lets a person in; for a server that cannot be told when it ends.';

create or replace function app_private.revocation_state() returns jsonb
  language sql stable security definer
  set search_path = ''
as $$
  select jsonb_build_object(
    'sessions', (
      select coalesce(jsonb_agg(id), '[]') from app_private.sessions where revoked_at > now() - interval '11 minutes'
    ),
    'organizations', (select coalesce(jsonb_agg(id), '[]') from app_public.organizations where suspended_at is not null)
  )
$$;

comment on function app_private.revocation_state() is 'What a server that comes late must know: the sessions that ended within the life of an access token, and the organizations that are suspended.';

-- For the person, and for admins

create or replace function app_private.sessions_of(organization_id uuid, user_id uuid) returns setof app_public.login_session
  language sql stable
  set search_path = ''
as $$
  select
    session.id, session.ip_address, session.user_agent, session.created_at, session.refreshed_at, session.expires_at,
    session.id is not distinct from app_hidden.current_session_id()
  from app_private.sessions as session
  where session.organization_id = sessions_of.organization_id and session.user_id = sessions_of.user_id
    and session.revoked_at is null and session.expires_at > now()
  order by session.refreshed_at desc
$$;

comment on function app_private.sessions_of(uuid, uuid) is 'The sessions of a person that have not ended.';

create or replace function app_public.own_sessions() returns setof app_public.login_session
  language sql stable security definer
  set search_path = ''
as $$
  select * from app_private.sessions_of(app_hidden.current_organization_id(), app_hidden.current_user_id())
$$;

comment on function app_public.own_sessions() is 'Where the caller is logged in, the latest first.';

create or replace function app_public.sessions_of(user_id uuid) returns setof app_public.login_session
  language sql stable security definer
  set search_path = ''
as $$
  select * from app_private.sessions_of(app_hidden.current_organization_id(), sessions_of.user_id)
$$;

comment on function app_public.sessions_of(uuid) is 'Where a person of the organization is logged in, the latest first. Admins only.';

create or replace function app_public.end_session(session_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  caller constant app_public.users := app_private.subject_of_claims();
begin
  update app_private.sessions as session
  set revoked_at = now()
  where session.organization_id = caller.organization_id and session.id = end_session.session_id
    and session.revoked_at is null
    and (session.user_id = caller.id or app_hidden.acting_role() = 'atum_admin');
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such session';
  end if;
  return true;
end
$$;

comment on function app_public.end_session(uuid) is 'Ends a session: the own ones, for admins anybody''s. Within a second every server refuses it. Errors: NOT_FOUND, UNAUTHENTICATED, SESSION_REQUIRED.';

create or replace function app_public.end_other_sessions(also_this boolean default false) returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  caller constant app_public.users := app_private.subject_of_claims();
begin
  return app_private.end_sessions_of(
    caller.organization_id, caller.id, case when not coalesce(also_this, false) then app_hidden.current_session_id() end
  );
end
$$;

comment on function app_public.end_other_sessions(boolean) is 'Ends all sessions of the caller but this one, or with `alsoThis` this one too, and says how many. Errors: UNAUTHENTICATED, SESSION_REQUIRED.';

create or replace function app_public.end_sessions_of(user_id uuid) returns integer
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  caller constant app_public.users := app_private.subject_of_claims();
begin
  -- What a stranger who was in may have made to come back with.
  perform app_private.revoke_api_tokens_of(caller.organization_id, end_sessions_of.user_id);
  return app_private.end_sessions_of(caller.organization_id, end_sessions_of.user_id);
end
$$;

comment on function app_public.end_sessions_of(uuid) is 'Ends all sessions of a person of the organization and revokes their API tokens, and says how many sessions there were. Admins only. Errors: UNAUTHENTICATED, SESSION_REQUIRED.';

revoke all on function
  app_private.tell_servers(text, uuid), app_private.refresh_token_family(text), app_private.token_hash(text),
  app_private.act_for(app_public.users), app_private.open_session(app_public.users, inet, text, uuid, text),
  app_private.refresh_session(text, inet, text),
  app_private.log_out(text), app_private.end_sessions_of(uuid, uuid, uuid), app_private.tg_sessions__tell_servers(),
  app_private.session_is_live(uuid, uuid), app_private.revocation_state(), app_private.sessions_of(uuid, uuid),
  app_public.own_sessions(), app_public.sessions_of(uuid), app_public.end_session(uuid), app_public.end_other_sessions(boolean),
  app_public.end_sessions_of(uuid)
from public;

grant execute on function
  app_private.refresh_session(text, inet, text),
  app_private.log_out(text), app_private.session_is_live(uuid, uuid), app_private.revocation_state()
to atum_server;
grant execute on function app_public.own_sessions(), app_public.end_session(uuid), app_public.end_other_sessions(boolean)
to atum_customer, atum_agent;
grant execute on function app_public.sessions_of(uuid), app_public.end_sessions_of(uuid) to atum_admin;

--! split: 1023-functions-23-two-factor-login.sql
-- One-time codes. The secret is encrypted by the server with a key the database does not have, and the server computes
-- the codes; which step was used, how often one may guess and what follows is decided here.

create or replace function app_private.challenge_row(challenge text) returns app_private.login_challenges
  language sql volatile
  set search_path = ''
as $$
  select *
  from app_private.login_challenges
  where challenge_hash = app_private.token_hash(challenge) and expires_at > now() and attempts < 5
  for update
$$;

comment on function app_private.challenge_row(text) is 'The login that waits for its second step, locked; null when there is none.';

create or replace function app_private.challenged_person(waiting app_private.login_challenges) returns app_public.users
  language sql stable
  set search_path = ''
as $$
  select * from app_public.users where organization_id = waiting.organization_id and id = waiting.user_id
$$;

comment on function app_private.challenged_person(app_private.login_challenges) is 'Who waits for the second step.';

create or replace function app_private.challenge_of(challenge text) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  waiting constant app_private.login_challenges := app_private.challenge_row(challenge);
  subject constant app_public.users := app_private.challenged_person(waiting);
  authenticator app_private.authenticators;
begin
  if waiting.id is null then
    return jsonb_build_object('outcome', 'challenge_expired');
  end if;

  select * into authenticator
  from app_private.authenticators as stored
  where stored.organization_id = waiting.organization_id and stored.user_id = waiting.user_id;

  return jsonb_build_object(
    'outcome', 'ok',
    'organizationId', waiting.organization_id,
    'userId', waiting.user_id,
    'email', subject.email,
    'purpose', waiting.purpose,
    'secret', authenticator.sealed,
    'lastTimeStep', authenticator.last_time_step
  );
end
$$;

comment on function app_private.challenge_of(text) is 'Whose second step a challenge waits for: `{outcome: ok, organizationId, userId, email, purpose, secret, lastTimeStep}` or `{outcome: challenge_expired}`.';

create or replace function app_private.finish_challenge(
  waiting app_private.login_challenges, proof text, ip_address inet, user_agent text
) returns jsonb
  language plpgsql volatile
  set search_path = ''
as $$
declare
  subject constant app_public.users := app_private.challenged_person(waiting);
begin
  delete from app_private.login_challenges as spent
  where spent.organization_id = waiting.organization_id and spent.id = waiting.id;

  if subject.disabled_at is not null or (
    waiting.proof = 'provider' and not exists (
      select
      from app_public.identity_providers as provider
      where provider.organization_id = waiting.organization_id and provider.id = waiting.identity_provider_id
        and provider.is_enabled
    )
  ) then
    return jsonb_build_object('outcome', 'challenge_expired');
  end if;

  perform app_private.act_for(subject);
  -- What the password was good for ten minutes ago it need not be good for now.
  if waiting.proof = 'password' and not subject.is_break_glass and exists (
    select
    from app_public.security_policies as policy
    where policy.organization_id = subject.organization_id and not policy.local_login
  ) then
    perform app_private.append_audit(
      subject.organization_id, 'login_refused', 'app_public.users', subject.id, null, jsonb_build_object('reason', 'local_login_off')
    );
    return jsonb_build_object('outcome', 'local_login_off');
  end if;
  perform app_private.forget_login_failures(subject.id::text || ' second factor', ip_address);
  return app_private.admit(subject, proof, ip_address, user_agent, waiting.identity_provider_id, waiting.id_token);
end
$$;

comment on function app_private.finish_challenge(app_private.login_challenges, text, inet, text) is 'Spends a challenge and lets its person in, if the first step is still worth it: `challenge_expired` where the provider of it is no longer trusted, `local_login_off`, otherwise as `admit`.';

create or replace function app_private.fail_challenge(waiting app_private.login_challenges, ip_address inet) returns jsonb
  language plpgsql volatile
  set search_path = ''
as $$
declare
  subject constant app_public.users := app_private.challenged_person(waiting);
begin
  perform app_private.act_for(subject);
  update app_private.login_challenges as failed
  set attempts = failed.attempts + 1
  where failed.organization_id = waiting.organization_id and failed.id = waiting.id;

  perform app_private.append_audit(subject.organization_id, 'two_factor_failed', 'app_public.users', subject.id, null, null);
  -- Who knows the password would otherwise go on with one new challenge after the other.
  if app_private.count_login_failure(subject.id::text || ' second factor', ip_address) then
    perform app_private.append_audit(subject.organization_id, 'lockout', 'app_public.users', subject.id, null, null);
  end if;
  return jsonb_build_object('outcome', 'invalid_code');
end
$$;

comment on function app_private.fail_challenge(app_private.login_challenges, inet) is 'Counts a wrong code against the challenge and the person.';

create or replace function app_private.two_factor_wait(waiting app_private.login_challenges) returns jsonb
  language plpgsql stable
  set search_path = ''
as $$
declare
  subject constant app_public.users := app_private.challenged_person(waiting);
  wait constant integer := app_private.login_wait(subject.id::text || ' second factor', app_hidden.current_address(), subject.id);
begin
  if waiting.id is null then
    return jsonb_build_object('outcome', 'challenge_expired');
  end if;
  if wait > 0 then
    return jsonb_build_object('outcome', 'too_many_attempts', 'retryAfterSeconds', wait);
  end if;
  return null;
end
$$;

comment on function app_private.two_factor_wait(app_private.login_challenges) is 'Why no code may be tried now, or null: `challenge_expired`, `too_many_attempts`.';

create or replace function app_private.pass_two_factor(challenge text, time_step bigint, ip_address inet, user_agent text)
  returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  waiting constant app_private.login_challenges := app_private.challenge_row(challenge);
  refused constant jsonb := app_private.two_factor_wait(waiting);
begin
  if refused is not null then
    return refused;
  end if;

  -- A step is used once, whoever comes first.
  update app_private.authenticators as authenticator
  set last_time_step = pass_two_factor.time_step
  where authenticator.organization_id = waiting.organization_id and authenticator.user_id = waiting.user_id
    and authenticator.confirmed_at is not null
    and coalesce(authenticator.last_time_step, 0) < pass_two_factor.time_step;
  if not found or waiting.purpose <> 'verify' then
    return app_private.fail_challenge(waiting, ip_address);
  end if;
  return app_private.finish_challenge(waiting, 'second_factor', ip_address, user_agent);
end
$$;

comment on function app_private.pass_two_factor(text, bigint, inet, text) is 'The code of this step was right: lets the person in, unless the step was used before. Answers what `admit` does, or `challenge_expired`, `too_many_attempts`, `invalid_code`.';

create or replace function app_private.fail_two_factor(challenge text) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  waiting constant app_private.login_challenges := app_private.challenge_row(challenge);
begin
  return coalesce(
    app_private.two_factor_wait(waiting),
    app_private.fail_challenge(waiting, app_hidden.current_address())
  );
end
$$;

comment on function app_private.fail_two_factor(text) is 'The code was wrong: `invalid_code`, `challenge_expired` or `too_many_attempts`. Five wrong ones spend the challenge.';

create or replace function app_private.use_recovery_code(organization_id uuid, user_id uuid, code text) returns boolean
  language plpgsql volatile
  set search_path = ''
as $$
begin
  update app_private.recovery_codes as recovery
  set used_at = now()
  where recovery.organization_id = use_recovery_code.organization_id and recovery.user_id = use_recovery_code.user_id
    and recovery.code_hash = app_private.token_hash(regexp_replace(lower(code), '[^0-9a-z]', '', 'g'))
    and recovery.used_at is null;
  return found;
end
$$;

comment on function app_private.use_recovery_code(uuid, uuid, text) is 'Spends a recovery code; false when it is none, or was used before. Hyphens, spaces and case do not matter.';

create or replace function app_private.pass_recovery_code(challenge text, code text, ip_address inet, user_agent text)
  returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  waiting constant app_private.login_challenges := app_private.challenge_row(challenge);
  refused constant jsonb := app_private.two_factor_wait(waiting);
begin
  if refused is not null then
    return refused;
  end if;
  if waiting.purpose <> 'verify' or not app_private.use_recovery_code(waiting.organization_id, waiting.user_id, code) then
    return app_private.fail_challenge(waiting, ip_address);
  end if;
  perform app_private.act_for(app_private.challenged_person(waiting));
  perform app_private.append_audit(waiting.organization_id, 'recovery_code_used', 'app_public.users', waiting.user_id, null, null);
  return app_private.finish_challenge(waiting, 'second_factor', ip_address, user_agent);
end
$$;

comment on function app_private.pass_recovery_code(text, text, inet, text) is 'Lets a person in by a recovery code instead of a one-time code. Answers as `pass_two_factor`.';

revoke all on function
  app_private.challenge_row(text), app_private.challenged_person(app_private.login_challenges), app_private.challenge_of(text),
  app_private.finish_challenge(app_private.login_challenges, text, inet, text),
  app_private.fail_challenge(app_private.login_challenges, inet), app_private.two_factor_wait(app_private.login_challenges),
  app_private.pass_two_factor(text, bigint, inet, text), app_private.fail_two_factor(text),
  app_private.use_recovery_code(uuid, uuid, text), app_private.pass_recovery_code(text, text, inet, text)
from public;

grant execute on function
  app_private.challenge_of(text), app_private.pass_two_factor(text, bigint, inet, text), app_private.fail_two_factor(text),
  app_private.pass_recovery_code(text, text, inet, text)
to atum_server;

--! split: 1024-functions-24-two-factor-enrolment.sql
-- How a person turns one-time codes on and off.

create or replace function app_private.make_recovery_codes(organization_id uuid, user_id uuid) returns jsonb
  language plpgsql volatile
  set search_path = ''
as $$
declare
  codes constant text[] := array(select encode(public.gen_random_bytes(16), 'hex') from generate_series(1, 10));
begin
  delete from app_private.recovery_codes as old
  where old.organization_id = make_recovery_codes.organization_id and old.user_id = make_recovery_codes.user_id;

  insert into app_private.recovery_codes (organization_id, user_id, code_hash)
  select make_recovery_codes.organization_id, make_recovery_codes.user_id, app_private.token_hash(code)
  from unnest(codes) as code;

  return (select jsonb_agg(regexp_replace(code, '(.{8})(?=.)', '\1-', 'g')) from unnest(codes) as code);
end
$$;

comment on function app_private.make_recovery_codes(uuid, uuid) is 'Replaces the recovery codes of a person by ten new ones, and returns them for the only time.';

create or replace function app_private.begin_two_factor(secret text, challenge text default null) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  waiting app_private.login_challenges;
  subject app_public.users;
begin
  if challenge is null then
    subject := app_private.subject_of_claims();
  else
    waiting := app_private.challenge_row(challenge);
    if waiting.id is null or waiting.purpose <> 'enrol' then
      return jsonb_build_object('outcome', 'challenge_expired');
    end if;
    subject := app_private.challenged_person(waiting);
    perform app_private.act_for(subject);
  end if;

  insert into app_private.authenticators as authenticator (organization_id, user_id, sealed)
  values (subject.organization_id, subject.id, secret)
  on conflict on constraint authenticators_pkey do update
    set sealed = excluded.sealed, created_at = now(), last_time_step = null
    where authenticator.confirmed_at is null;
  return jsonb_build_object('outcome', case when found then 'ok' else 'two_factor_already_on' end);
end
$$;

comment on function app_private.begin_two_factor(text, text) is 'Keeps the encrypted secret that a person enrols, by a session or by the challenge that demands it: `ok`, `challenge_expired`, `two_factor_already_on`. It counts once it is confirmed.';

create or replace function app_private.pending_two_factor() returns jsonb
  language sql stable security definer
  set search_path = ''
as $$
  select jsonb_build_object(
    'secret', authenticator.sealed, 'lastTimeStep', authenticator.last_time_step, 'confirmed', authenticator.confirmed_at is not null
  )
  from app_private.authenticators as authenticator
  where authenticator.organization_id = app_hidden.current_organization_id() and authenticator.user_id = app_hidden.current_user_id()
    and app_hidden.current_session_id() is not null
$$;

comment on function app_private.pending_two_factor() is 'The encrypted secret of the person who logged in, confirmed or not: `{secret, lastTimeStep, confirmed}`, or null.';

create or replace function app_private.confirm_two_factor(
  time_step bigint, secret text, challenge text, ip_address inet, user_agent text
) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  waiting app_private.login_challenges;
  subject app_public.users;
  begun app_private.authenticators;
  admission jsonb;
begin
  if challenge is null then
    subject := app_private.subject_of_claims();
  else
    waiting := app_private.challenge_row(challenge);
    if waiting.id is null or waiting.purpose <> 'enrol' then
      return jsonb_build_object('outcome', 'challenge_expired');
    end if;
    subject := app_private.challenged_person(waiting);
    perform app_private.act_for(subject);
  end if;

  select * into begun
  from app_private.authenticators as stored
  where stored.organization_id = subject.organization_id and stored.user_id = subject.id and stored.confirmed_at is null
  for update;
  if not found then
    return jsonb_build_object('outcome', 'two_factor_off');
  end if;
  -- The code was of this secret; somebody may have begun with another one since.
  if begun.sealed is distinct from confirm_two_factor.secret then
    return jsonb_build_object('outcome', 'invalid_code');
  end if;

  -- Whoever is not let in leaves no second factor behind.
  if waiting.id is not null then
    admission := app_private.finish_challenge(waiting, 'second_factor', ip_address, user_agent);
    if admission ->> 'outcome' <> 'ok' then
      return admission;
    end if;
  end if;

  update app_private.authenticators as authenticator
  set confirmed_at = now(), last_time_step = confirm_two_factor.time_step
  where authenticator.organization_id = subject.organization_id and authenticator.user_id = subject.id;

  perform app_private.append_audit(subject.organization_id, 'two_factor_on', 'app_public.users', subject.id, null, null);
  perform app_private.write_account_mail(subject, 'two_factor_on');

  return jsonb_build_object(
    'outcome', 'ok',
    'recoveryCodes', app_private.make_recovery_codes(subject.organization_id, subject.id),
    'admission', admission
  );
end
$$;

comment on function app_private.confirm_two_factor(bigint, text, text, inet, text) is 'The first code was right for this encrypted secret: from now on codes are asked for. `{outcome: ok, recoveryCodes, admission}`, `challenge_expired`, `invalid_code` when another secret was begun since, `two_factor_off` when none was, or why the person is not let in after all, and then nothing is turned on.';

create or replace function app_private.prove_again(password text, time_step bigint) returns jsonb
  language plpgsql volatile
  set search_path = ''
as $$
declare
  subject constant app_public.users := app_private.subject_of_claims();
  wait constant integer := greatest(
    app_private.login_wait(subject.id::text, app_hidden.current_address(), subject.id),
    app_private.login_wait(subject.id::text || ' second factor', app_hidden.current_address(), subject.id)
  );
  known_hash text;
begin
  if wait > 0 then
    return jsonb_build_object('outcome', 'too_many_attempts', 'retryAfterSeconds', wait);
  end if;

  select stored.password_hash into known_hash
  from app_private.user_secrets as stored
  where stored.organization_id = subject.organization_id and stored.user_id = subject.id;

  -- Who came by an identity provider may have no password; then the code alone proves who it is.
  if (known_hash is not null or prove_again.time_step is null)
    and (known_hash = public.crypt(prove_again.password, known_hash)) is not true
  then
    if app_private.count_login_failure(subject.id::text, app_hidden.current_address()) then
      perform app_private.append_audit(subject.organization_id, 'lockout', 'app_public.users', subject.id, null, null);
    end if;
    perform app_private.append_audit(subject.organization_id, 'login_failed', 'app_public.users', subject.id, null, null);
    return jsonb_build_object('outcome', 'invalid_credentials');
  end if;

  if prove_again.time_step is not null then
    update app_private.authenticators as authenticator
    set last_time_step = prove_again.time_step
    where authenticator.organization_id = subject.organization_id and authenticator.user_id = subject.id
      and authenticator.confirmed_at is not null
      and coalesce(authenticator.last_time_step, 0) < prove_again.time_step;
    if not found then
      perform app_private.count_login_failure(subject.id::text || ' second factor', app_hidden.current_address());
      perform app_private.append_audit(subject.organization_id, 'two_factor_failed', 'app_public.users', subject.id, null, null);
      return jsonb_build_object('outcome', 'invalid_code');
    end if;
  end if;
  return null;
end
$$;

comment on function app_private.prove_again(text, bigint) is 'Asks a person who logged in for the password, where there is one, and for a step of the one-time codes unless it is null: null when both are right, otherwise `invalid_credentials`, `invalid_code`, `too_many_attempts`.';

create or replace function app_private.two_factor_is_on() returns boolean
  language sql stable
  set search_path = ''
as $$
  select exists (
    select
    from app_private.authenticators as authenticator
    where authenticator.organization_id = app_hidden.current_organization_id()
      and authenticator.user_id = app_hidden.current_user_id() and authenticator.confirmed_at is not null
  )
$$;

comment on function app_private.two_factor_is_on() is 'Whether the caller logs in with one-time codes.';

create or replace function app_private.disable_two_factor(password text, time_step bigint) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  subject constant app_public.users := app_private.subject_of_claims();
  refused jsonb;
begin
  if not app_private.two_factor_is_on() then
    return jsonb_build_object('outcome', 'two_factor_off');
  end if;
  -- Without a step a wrong code is a wrong code and not a missing one.
  refused := app_private.prove_again(password, coalesce(time_step, 0));
  if refused is not null then
    return refused;
  end if;
  perform app_private.remove_two_factor(subject);
  return jsonb_build_object('outcome', 'ok');
end
$$;

comment on function app_private.disable_two_factor(text, bigint) is 'Turns one-time codes off for the person who logged in: `ok`, `two_factor_off`, `invalid_credentials`, `invalid_code`, `too_many_attempts`. Where the role demands them, the sessions of the person end and the next login asks for enrolment.';

create or replace function app_private.remove_two_factor(subject app_public.users) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  delete from app_private.authenticators as authenticator
  where authenticator.organization_id = subject.organization_id and authenticator.user_id = subject.id;
  delete from app_private.recovery_codes as recovery
  where recovery.organization_id = subject.organization_id and recovery.user_id = subject.id;

  perform app_private.append_audit(subject.organization_id, 'two_factor_off', 'app_public.users', subject.id, null, null);
  perform app_private.write_account_mail(subject, 'two_factor_off');

  if exists (
    select
    from app_public.security_policies as policy
    where policy.organization_id = subject.organization_id and subject.role = any (policy.two_factor_roles)
  ) then
    perform app_private.end_sessions_of(subject.organization_id, subject.id);
  end if;
end
$$;

comment on function app_private.remove_two_factor(app_public.users) is 'Forgets the second factor of a person and tells them.';

create or replace function app_private.renew_recovery_codes(password text, time_step bigint) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  subject constant app_public.users := app_private.subject_of_claims();
  refused jsonb;
begin
  if not app_private.two_factor_is_on() then
    return jsonb_build_object('outcome', 'two_factor_off');
  end if;
  refused := app_private.prove_again(password, coalesce(time_step, 0));
  if refused is not null then
    return refused;
  end if;
  perform app_private.append_audit(subject.organization_id, 'recovery_codes_renewed', 'app_public.users', subject.id, null, null);
  return jsonb_build_object('outcome', 'ok', 'recoveryCodes', app_private.make_recovery_codes(subject.organization_id, subject.id));
end
$$;

comment on function app_private.renew_recovery_codes(text, bigint) is 'Replaces the recovery codes of the person who logged in: `{outcome: ok, recoveryCodes}`, or as `disable_two_factor`.';

create or replace function app_public.two_factor_status() returns app_public.two_factor_status
  language sql stable security definer
  set search_path = ''
as $$
  select
    app_private.two_factor_is_on(),
    exists (
      select
      from app_public.security_policies as policy
      join app_public.users as person on person.organization_id = policy.organization_id
      where policy.organization_id = app_hidden.current_organization_id()
        and person.id = app_hidden.current_user_id() and person.role = any (policy.two_factor_roles)
    ),
    (
      select count(*)::integer
      from app_private.recovery_codes as recovery
      where recovery.organization_id = app_hidden.current_organization_id()
        and recovery.user_id = app_hidden.current_user_id() and recovery.used_at is null
    )
$$;

comment on function app_public.two_factor_status() is 'How the caller logs in with a second factor.';

create or replace function app_public.users_has_two_factor(person app_public.users) returns boolean
  language sql stable security definer
  set search_path = ''
as $$
  select exists (
    select
    from app_private.authenticators as authenticator
    where authenticator.organization_id = app_hidden.current_organization_id()
      and authenticator.organization_id = person.organization_id and authenticator.user_id = person.id
      and authenticator.confirmed_at is not null
  )
$$;

comment on function app_public.users_has_two_factor(app_public.users) is 'Whether the person logs in with one-time codes. Admins only.';

create or replace function app_public.reset_two_factor(user_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  caller constant app_public.users := app_private.subject_of_claims();
  subject constant app_public.users := app_private.person_of_organization(user_id);
begin
  if subject.id = caller.id then
    raise exception using errcode = 'AD009', message = 'Your own second factor is turned off with your password and a code';
  end if;

  perform app_private.remove_two_factor(subject);
  perform app_private.end_sessions_of(subject.organization_id, subject.id);
  return true;
end
$$;

comment on function app_public.reset_two_factor(uuid) is 'Forgets the second factor of a person who lost it, and ends their sessions. Admins only, and not for themselves. Errors: NOT_FOUND, NOT_YOURSELF, UNAUTHENTICATED, SESSION_REQUIRED.';

revoke all on function
  app_private.make_recovery_codes(uuid, uuid), app_private.begin_two_factor(text, text), app_private.pending_two_factor(),
  app_private.confirm_two_factor(bigint, text, text, inet, text), app_private.prove_again(text, bigint),
  app_private.two_factor_is_on(), app_private.disable_two_factor(text, bigint),
  app_private.remove_two_factor(app_public.users), app_private.renew_recovery_codes(text, bigint),
  app_public.two_factor_status(), app_public.users_has_two_factor(app_public.users), app_public.reset_two_factor(uuid)
from public;

grant execute on function
  app_private.begin_two_factor(text, text), app_private.pending_two_factor(),
  app_private.confirm_two_factor(bigint, text, text, inet, text), app_private.disable_two_factor(text, bigint),
  app_private.renew_recovery_codes(text, bigint)
to atum_server;
grant execute on function app_public.two_factor_status() to atum_customer, atum_agent;
grant execute on function app_public.users_has_two_factor(app_public.users), app_public.reset_two_factor(uuid) to atum_admin;

--! split: 1025-functions-25-accounts.sql
-- What a person is written about the own account, and what the links in it do. A link's token is made when the mail is
-- sent, so that it is nowhere but in the mail.

create or replace function app_private.spend_links_of(organization_id uuid, user_id uuid, purpose text default null) returns void
  language plpgsql volatile
  set search_path = ''
as $$
begin
  -- One after the other: of two that are written at the same moment the second would not see the first.
  perform
  from app_public.users as person
  where person.organization_id = spend_links_of.organization_id and person.id = spend_links_of.user_id
  for no key update;

  update app_private.account_mails as mail
  set used_at = now()
  where mail.organization_id = spend_links_of.organization_id and mail.user_id = spend_links_of.user_id
    and mail.purpose = coalesce(spend_links_of.purpose, mail.purpose) and mail.expires_at is not null and mail.used_at is null;
end
$$;

comment on function app_private.spend_links_of(uuid, uuid, text) is 'Spends every open link of a person, or those of one purpose, and keeps the person for this transaction.';

create or replace function app_private.write_account_mail(subject app_public.users, purpose text, address text default null)
  returns void
  language plpgsql volatile
  set search_path = ''
as $$
declare
  made_id uuid;
begin
  -- The latest link is the one that counts.
  perform app_private.spend_links_of(subject.organization_id, subject.id, write_account_mail.purpose);

  insert into app_private.account_mails (organization_id, user_id, purpose, address, expires_at)
  values (
    subject.organization_id, subject.id, purpose, address,
    now() + case purpose
      when 'invitation' then interval '7 days'
      when 'email_verification' then interval '1 day'
      when 'password_reset' then interval '1 hour'
    end
  )
  returning id into made_id;

  perform app_private.enqueue('send_account_mail', subject.organization_id, jsonb_build_object('accountMailId', made_id));
end
$$;

comment on function app_private.write_account_mail(app_public.users, text, text) is 'Has a person written a mail about the own account, in this transaction; to another address than the own where one is given.';

create or replace function app_private.issue_account_token(account_mail_id uuid) returns text
  language plpgsql volatile
  set search_path = ''
as $$
declare
  token constant text := encode(public.gen_random_bytes(32), 'hex');
begin
  update app_private.account_mails as mail
  set token_hash = app_private.token_hash(token)
  where mail.organization_id = app_hidden.current_organization_id() and mail.id = issue_account_token.account_mail_id
    and mail.expires_at > now() and mail.used_at is null;
  return case when found then token end;
end
$$;

comment on function app_private.issue_account_token(uuid) is 'Makes the token of a link, in place of any that it had; null when the link is over.';

create or replace function app_private.account_mail_to_send(account_mail_id uuid) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mail app_private.account_mails;
  subject app_public.users;
  token text;
begin
  select * into mail
  from app_private.account_mails as wanted
  where wanted.organization_id = app_hidden.current_organization_id() and wanted.id = account_mail_to_send.account_mail_id
    and wanted.delivery = 'waiting' and wanted.used_at is null
  for update;
  if not found then
    return null;
  end if;

  if mail.expires_at is not null then
    token := app_private.issue_account_token(mail.id);
    if token is null then
      return null;
    end if;
  end if;

  select * into strict subject
  from app_public.users
  where organization_id = mail.organization_id and id = mail.user_id;

  return app_private.identity_of(subject) || jsonb_build_object(
    'email', coalesce(mail.address, subject.email::text), 'purpose', mail.purpose, 'token', token, 'writtenAt', mail.created_at
  );
end
$$;

comment on function app_private.account_mail_to_send(uuid) is 'What the worker needs to write a mail: the person as `identity_of` says it, but with the `email` it goes to, `purpose`, and a new `token` where it carries a link; null when it was sent or is over. Trying again makes another token, and the one before is worth nothing.';

create or replace function app_private.account_mail_sent(account_mail_id uuid, delivery text) returns void
  language sql volatile security definer
  set search_path = ''
as $$
  update app_private.account_mails as mail
  set delivery = account_mail_sent.delivery
  where mail.organization_id = app_hidden.current_organization_id() and mail.id = account_mail_sent.account_mail_id
$$;

comment on function app_private.account_mail_sent(uuid, text) is 'Notes what became of a mail: `sent`, or `no_mail_server`.';

create or replace function app_private.account_mail_of(token text, variadic purposes text[]) returns app_private.account_mails
  language plpgsql volatile
  set search_path = ''
as $$
declare
  mail app_private.account_mails;
begin
  -- The person before the mail, as where links are written and spent.
  perform
  from app_private.account_mails as wanted
  join app_public.users as person on person.organization_id = wanted.organization_id and person.id = wanted.user_id
  where wanted.token_hash = app_private.token_hash(account_mail_of.token)
  for no key update of person;

  select * into mail
  from app_private.account_mails as wanted
  where wanted.token_hash = app_private.token_hash(account_mail_of.token)
    and wanted.purpose = any (purposes) and wanted.used_at is null and wanted.expires_at > now()
    and exists (
      select
      from app_public.users as person
      join app_public.organizations as organization on organization.id = person.organization_id
      where person.organization_id = wanted.organization_id and person.id = wanted.user_id
        and person.disabled_at is null and organization.suspended_at is null
        and (wanted.purpose = 'password_reset' or person.activated_at is null)
    )
  for update;
  if not found then
    raise exception using errcode = 'AD010', message = 'This link is not valid, or no longer';
  end if;
  return mail;
end
$$;

comment on function app_private.account_mail_of(text, text[]) is 'The mail whose link was followed, locked, and its person; an invitation or verification of somebody who has come already is none. Error TOKEN_INVALID.';

create or replace function app_private.spend_account_mail(mail app_private.account_mails) returns app_public.users
  language plpgsql volatile
  set search_path = ''
as $$
declare
  subject app_public.users;
begin
  update app_private.account_mails as spent
  set used_at = now()
  where spent.organization_id = mail.organization_id and spent.id = mail.id;

  select * into strict subject
  from app_public.users
  where organization_id = mail.organization_id and id = mail.user_id;
  perform app_private.act_for(subject);
  return subject;
end
$$;

comment on function app_private.spend_account_mail(app_private.account_mails) is 'Spends the link of a mail and acts for its person.';

create or replace function app_private.account_token_of(token text) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mail constant app_private.account_mails :=
    app_private.account_mail_of(token, 'invitation', 'email_verification', 'password_reset');
begin
  return (
    select jsonb_build_object(
      'outcome', 'ok', 'purpose', mail.purpose, 'email', person.email,
      'name', person.name,
      'organization', jsonb_build_object('slug', organization.slug, 'name', organization.name)
    )
    from app_public.users as person
    join app_public.organizations as organization on organization.id = person.organization_id
    where person.organization_id = mail.organization_id and person.id = mail.user_id
  );
end
$$;

comment on function app_private.account_token_of(text) is 'Whom a link is for, without spending it: `{outcome: ok, purpose, email, name, organization}`. Error TOKEN_INVALID.';

create or replace function app_private.reset_password(token text, password text) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  subject constant app_public.users := app_private.spend_account_mail(app_private.account_mail_of(token, 'password_reset'));
begin
  perform app_private.set_password(subject.organization_id, subject.id, password);
  -- Whoever reads the mail has the address.
  update app_public.users as person
  set activated_at = now()
  where person.organization_id = subject.organization_id and person.id = subject.id and person.activated_at is null;
  perform app_private.end_sessions_of(subject.organization_id, subject.id);
  -- Whoever knew the password before may have made one.
  perform app_private.revoke_api_tokens_of(subject.organization_id, subject.id);
  perform app_private.append_audit(subject.organization_id, 'password_reset', 'app_public.users', subject.id, null, null);
  perform app_private.write_account_mail(subject, 'password_changed');
end
$$;

comment on function app_private.reset_password(text, text) is 'Sets the password of the person a reset link is for, ends their sessions and revokes their API tokens. Errors: TOKEN_INVALID, PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG, PASSWORD_COMMON; the link stays good when the password is refused.';

create or replace function app_private.accept_invitation(token text, name text, password text) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  mail constant app_private.account_mails := app_private.account_mail_of(token, 'invitation', 'email_verification');
  subject constant app_public.users := app_private.spend_account_mail(mail);
begin
  update app_public.users as person
  set name = coalesce(nullif(btrim(accept_invitation.name), ''), person.name), activated_at = now()
  where person.organization_id = subject.organization_id and person.id = subject.id and person.activated_at is null;
  if not found then
    raise exception using errcode = 'AD010', message = 'This link is not valid, or no longer';
  end if;
  -- Only now: a password that somebody chose before the address was proved would open the account of its owner.
  perform app_private.set_password(subject.organization_id, subject.id, password);
  perform app_private.append_audit(
    subject.organization_id, case mail.purpose when 'invitation' then 'invitation_accepted' else 'email_verified' end,
    'app_public.users', subject.id, null, null
  );
end
$$;

comment on function app_private.accept_invitation(text, text, text) is 'The person who was invited, or registered, follows the link: gives the own name and a password, and can log in. Errors as `reset_password`, TOKEN_INVALID also for who has come already.';

create or replace function app_private.write_to_address(email text, organization_slug text, purpose text) returns void
  language plpgsql volatile
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  subject app_public.users;
begin
  for subject in
    select person.*
    from app_public.users as person
    join app_public.organizations as organization on organization.id = person.organization_id
    join app_public.security_policies as policy on policy.organization_id = person.organization_id
    where person.email = app_private.mail_address(write_to_address.email)
      and (organization_slug is null or organization.slug = organization_slug)
      and organization.suspended_at is null
      and person.disabled_at is null
      and case purpose
        when 'password_reset' then person.activated_at is not null and (policy.local_login or person.is_break_glass)
        else person.activated_at is null
          and exists (
            select
            from app_private.account_mails as first
            where first.organization_id = person.organization_id and first.user_id = person.id and first.purpose = 'email_verification'
          )
      end
    for no key update of person
  loop
    -- Whoever asks again and again, or twice at once, does not fill somebody's mailbox.
    continue when exists (
      select
      from app_private.account_mails as recent
      where recent.organization_id = subject.organization_id and recent.user_id = subject.id
        and recent.purpose = write_to_address.purpose and recent.created_at > now() - interval '2 minutes'
    );
    perform app_private.write_account_mail(subject, purpose);
    perform app_private.append_audit(
      subject.organization_id, purpose || '_requested', 'app_public.users', subject.id, null, null, actor_id => null
    );
  end loop;
end
$$;

comment on function app_private.write_to_address(text, text, text) is 'Writes a `password_reset` or `email_verification` to everybody with this mail address, at most one every two minutes.';

create or replace function app_private.request_password_reset(email text, organization_slug text) returns void
  language sql volatile security definer
  set search_path = ''
as $$
  select app_private.write_to_address(email, organization_slug, 'password_reset')
$$;

comment on function app_private.request_password_reset(text, text) is 'Writes a reset link to the person with this mail address, if there is one. Says nothing either way.';

create or replace function app_private.request_verification(email text, organization_slug text) returns void
  language sql volatile security definer
  set search_path = ''
as $$
  select app_private.write_to_address(email, organization_slug, 'email_verification')
$$;

comment on function app_private.request_verification(text, text) is 'Writes the verification link once more to a person who registered. Says nothing either way.';

create or replace function app_private.register(organization_slug text, email text, name text) returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  home app_public.organizations;
  subject app_public.users;
begin
  select organization.* into home
  from app_public.organizations as organization
  join app_public.security_policies as policy on policy.organization_id = organization.id
  where organization.slug = register.organization_slug and organization.suspended_at is null and policy.local_login
    and split_part(app_private.mail_address(register.email)::text, '@', 2) = any (policy.registration_domains);
  if not found then
    raise exception using errcode = 'AD012', message = 'Registration is not open for this mail address';
  end if;

  insert into app_public.users (organization_id, email, name, role, activated_at)
  values (home.id, register.email, register.name, 'customer', null)
  on conflict on constraint users_organization_id_email_key do nothing
  returning * into subject;

  if found then
    perform app_private.write_account_mail(subject, 'email_verification');
    return;
  end if;

  -- Who has the address learns it from a mail, and who registers learns nothing.
  select person.* into strict subject
  from app_public.users as person
  where person.organization_id = home.id and person.email = app_private.mail_address(register.email);
  perform app_private.write_account_mail(subject, 'address_taken')
  where not exists (
    select
    from app_private.account_mails as recent
    where recent.organization_id = subject.organization_id and recent.user_id = subject.id
      and recent.purpose = 'address_taken' and recent.created_at > now() - interval '1 hour'
  );
end
$$;

comment on function app_private.register(text, text, text) is 'A person asks for a customer account, where the mail domain may: the link that is mailed lets them choose a password. An address that is taken looks the same and is told so by mail. Errors: REGISTRATION_CLOSED, INVALID_INPUT.';

create or replace function app_private.change_password(current_password text, new_password text) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  subject constant app_public.users := app_private.subject_of_claims();
  refused constant jsonb := app_private.prove_again(current_password, null);
begin
  if refused is not null then
    return refused;
  end if;
  perform app_private.set_password(subject.organization_id, subject.id, new_password);
  perform app_private.end_sessions_of(subject.organization_id, subject.id, app_hidden.current_session_id());
  perform app_private.append_audit(subject.organization_id, 'password_changed', 'app_public.users', subject.id, null, null);
  perform app_private.write_account_mail(subject, 'password_changed');
  return jsonb_build_object('outcome', 'ok');
end
$$;

comment on function app_private.change_password(text, text) is 'Changes the password of the person who logged in and ends their other sessions: `ok`, `invalid_credentials`, `too_many_attempts`. Errors: PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG, PASSWORD_COMMON.';

revoke all on function
  app_private.spend_links_of(uuid, uuid, text), app_private.write_account_mail(app_public.users, text, text), app_private.issue_account_token(uuid),
  app_private.account_mail_to_send(uuid), app_private.account_mail_sent(uuid, text),
  app_private.account_mail_of(text, text[]), app_private.spend_account_mail(app_private.account_mails),
  app_private.account_token_of(text), app_private.reset_password(text, text),
  app_private.accept_invitation(text, text, text),
  app_private.write_to_address(text, text, text), app_private.request_password_reset(text, text),
  app_private.request_verification(text, text), app_private.register(text, text, text),
  app_private.change_password(text, text)
from public;

grant execute on function
  app_private.account_token_of(text), app_private.reset_password(text, text),
  app_private.accept_invitation(text, text, text),
  app_private.request_password_reset(text, text), app_private.request_verification(text, text),
  app_private.register(text, text, text), app_private.change_password(text, text)
to atum_server;
grant execute on function app_private.account_mail_to_send(uuid), app_private.account_mail_sent(uuid, text) to atum_worker;

--! split: 1026-functions-26-api-tokens.sql
create or replace function app_public.create_api_token(name text, scopes text[], expires_at timestamptz default null)
  returns app_public.made_api_token
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  caller constant app_public.users := app_private.subject_of_claims();
  body constant text := 'atum_' || encode(public.gen_random_bytes(24), 'hex');
  -- The end proves that it is no slip of the pen, before anything is looked up.
  secret constant text := body || left(encode(sha256(convert_to(body, 'UTF8')), 'hex'), 8);
  made app_public.made_api_token;
begin
  if coalesce(cardinality(create_api_token.scopes), 0) = 0
    or not create_api_token.scopes <@ array['read', 'tickets:write', 'admin:read', 'admin:write']
    or (caller.role in ('customer', 'agent') and create_api_token.scopes && array['admin:read', 'admin:write'])
    -- Together they would write with all rights that were asked for to read with.
    or ('admin:read' = any (create_api_token.scopes) and 'tickets:write' = any (create_api_token.scopes)
      and 'admin:write' <> all (create_api_token.scopes))
  then
    raise exception using
      errcode = 'AD014',
      message = 'Scopes are read, tickets:write and, for managers and admins, admin:read or admin:write; admin:read does not go with tickets:write';
  end if;

  if create_api_token.expires_at <= now() then
    raise exception using errcode = '23514', message = 'A token ends in the future';
  end if;

  if (
    select count(*)
    from app_public.api_tokens as token
    where token.organization_id = caller.organization_id and token.user_id = caller.id and token.revoked_at is null
  ) >= 100 then
    raise exception using errcode = '23514', message = 'A person has at most 100 API tokens; revoke one';
  end if;

  insert into app_public.api_tokens (organization_id, user_id, name, scopes, made_as, hint, expires_at)
  values (
    caller.organization_id, caller.id, btrim(create_api_token.name),
    array(select distinct scope from unnest(create_api_token.scopes) as scope order by scope),
    caller.role, right(secret, 4), create_api_token.expires_at
  )
  returning id into made.id;

  insert into app_private.api_token_secrets (organization_id, token_id, token_hash)
  values (caller.organization_id, made.id, app_private.token_hash(secret));

  perform app_private.write_account_mail(caller, 'api_token_made');
  made.secret := secret;
  return made;
end
$$;

comment on function app_public.create_api_token(text, text[], timestamptz) is
  'Makes an API token in the caller''s name and shows it, for the only time; the caller is told by mail. Use it as `authorization: Bearer atum_…`. It acts with the role the caller has now, or a lower one that the caller has later. Errors: SCOPE_REFUSED, INVALID_INPUT, UNAUTHENTICATED, SESSION_REQUIRED.';

create or replace function app_public.revoke_api_token(token_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  caller constant app_public.users := app_private.subject_of_claims();
begin
  update app_public.api_tokens as token
  set revoked_at = now()
  where token.organization_id = caller.organization_id and token.id = revoke_api_token.token_id and token.revoked_at is null
    and (token.user_id = caller.id or app_hidden.acting_role() = 'atum_admin');
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such token';
  end if;
  return true;
end
$$;

comment on function app_public.revoke_api_token(uuid) is 'Ends an API token: the own ones, for admins anybody''s. Within a second every server refuses it. Errors: NOT_FOUND, UNAUTHENTICATED, SESSION_REQUIRED.';

create or replace function app_private.revoke_api_tokens_of(organization_id uuid, user_id uuid) returns void
  language sql volatile
  set search_path = ''
as $$
  update app_public.api_tokens as token
  set revoked_at = now()
  where token.organization_id = revoke_api_tokens_of.organization_id and token.user_id = revoke_api_tokens_of.user_id
    and token.revoked_at is null
$$;

comment on function app_private.revoke_api_tokens_of(uuid, uuid) is 'Ends every API token of a person, for good.';

create or replace function app_private.tg_api_tokens__tell_servers() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  perform app_private.tell_servers('api_token', NEW.id);
  return null;
end
$$;

comment on function app_private.tg_api_tokens__tell_servers() is 'Has every server refuse an API token that was revoked.';

create or replace trigger _800_tell_servers after update of revoked_at on app_public.api_tokens
  for each row when (NEW.revoked_at is not null and OLD.revoked_at is null)
  execute function app_private.tg_api_tokens__tell_servers();

create or replace function app_private.api_token_claims(token_hash bytea, ip_address inet) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  found_token app_public.api_tokens;
  subject app_public.users;
  acting app_public.user_role;
  refused text;
begin
  select token.* into found_token
  from app_private.api_token_secrets as secret
  join app_public.api_tokens as token on token.organization_id = secret.organization_id and token.id = secret.token_id
  where secret.token_hash = api_token_claims.token_hash
    and token.revoked_at is null and (token.expires_at is null or token.expires_at > now());

  select * into subject
  from app_public.users as person
  where person.organization_id = found_token.organization_id and person.id = found_token.user_id
    and person.disabled_at is null and person.activated_at is not null;
  if not found then
    return null;
  end if;
  perform app_private.act_for(subject);

  select case
    when organization.suspended_at is not null then 'organization_suspended'
    when not app_private.ip_allowed(subject.organization_id, subject.role, api_token_claims.ip_address) then 'address_not_allowed'
  end
  into refused
  from app_public.organizations as organization
  where organization.id = subject.organization_id;

  if refused is not null then
    return jsonb_build_object('refused', refused);
  end if;

  if app_hidden.network_of(found_token.last_used_ip) is distinct from app_hidden.network_of(api_token_claims.ip_address) then
    perform app_private.append_audit(
      subject.organization_id, 'api_token_new_address', 'app_public.api_tokens', found_token.id,
      jsonb_build_object('last_used_ip', host(found_token.last_used_ip)),
      jsonb_build_object('last_used_ip', host(api_token_claims.ip_address))
    );
  end if;
  update app_public.api_tokens as token
  set last_used_at = now(), last_used_ip = api_token_claims.ip_address
  where token.organization_id = found_token.organization_id and token.id = found_token.id
    and (token.last_used_at is null or token.last_used_at < now() - interval '1 minute'
      or token.last_used_ip is distinct from api_token_claims.ip_address);

  -- Who rises does not lift what was made before, or what somebody else made in the person's name.
  acting := least(subject.role, found_token.made_as);

  return jsonb_build_object(
    'apiTokenId', found_token.id,
    'organizationId', subject.organization_id,
    'userId', subject.id,
    'role', case
      when acting = 'customer' or found_token.scopes && array['admin:read', 'admin:write'] then acting
      else 'agent'
    end,
    'readOnly', not found_token.scopes && array['tickets:write', 'admin:write'],
    'expiresAt', ceil(extract(epoch from found_token.expires_at))
  );
end
$$;

comment on function app_private.api_token_claims(bytea, inet) is
  'Whom an API token stands for and what it may: `{apiTokenId, organizationId, userId, role, readOnly, expiresAt}`, `{refused}` with `organization_suspended` or `address_not_allowed`, or null for a token that is none. Notes the use, and records one from a new address.';

revoke all on function
  app_public.create_api_token(text, text[], timestamptz), app_public.revoke_api_token(uuid),
  app_private.revoke_api_tokens_of(uuid, uuid), app_private.tg_api_tokens__tell_servers(),
  app_private.api_token_claims(bytea, inet)
from public;

grant execute on function app_public.create_api_token(text, text[], timestamptz), app_public.revoke_api_token(uuid)
to atum_customer, atum_agent;
grant execute on function app_private.api_token_claims(bytea, inet) to atum_server;

--! split: 1027-functions-27-people.sql
-- What admins do with people.

create or replace function app_private.person_of_organization(user_id uuid) returns app_public.users
  language plpgsql stable
  set search_path = ''
as $$
declare
  subject app_public.users;
begin
  select * into subject
  from app_public.users as person
  where person.organization_id = app_hidden.current_organization_id() and person.id = person_of_organization.user_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such person';
  end if;
  return subject;
end
$$;

comment on function app_private.person_of_organization(uuid) is 'A person of the caller''s organization. Error NOT_FOUND.';

create or replace function app_public.set_user_teams(user_id uuid, team_ids uuid[]) returns app_public.users
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  subject constant app_public.users := app_private.person_of_organization(user_id);
begin
  delete from app_public.team_members as member
  where member.organization_id = subject.organization_id and member.user_id = subject.id
    and member.team_id <> all (set_user_teams.team_ids);

  insert into app_public.team_members (organization_id, team_id, user_id)
  select subject.organization_id, team_id, subject.id
  from unnest(set_user_teams.team_ids) as team_id
  on conflict on constraint team_members_organization_id_team_id_user_id_key do nothing;
  return subject;
end
$$;

comment on function app_public.set_user_teams(uuid, uuid[]) is 'Makes a person a member of these teams and of no other. Admins only. Error NOT_FOUND for a person or team that is not there.';

create or replace function app_public.invite_user(
  email text,
  name text,
  role app_public.user_role default 'customer',
  company_id uuid default null,
  team_ids uuid[] default '{}'
) returns app_public.users
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  subject app_public.users;
begin
  if invite_user.role in ('manager', 'admin') then
    perform app_private.subject_of_claims();
  end if;

  insert into app_public.users (organization_id, email, name, role, company_id, activated_at)
  values (
    app_hidden.current_organization_id(), btrim(invite_user.email), btrim(invite_user.name), invite_user.role,
    invite_user.company_id, null
  )
  on conflict on constraint users_organization_id_email_key do nothing
  returning * into subject;
  if not found then
    -- Who registers an address is not there before its owner is invited.
    update app_public.users as person
    set
      email = btrim(invite_user.email), name = btrim(invite_user.name), role = invite_user.role,
      company_id = invite_user.company_id
    where person.organization_id = app_hidden.current_organization_id()
      and person.email = app_private.mail_address(invite_user.email)
      and person.activated_at is null and person.disabled_at is null
      and exists (
        select
        from app_private.account_mails as registration
        where registration.organization_id = person.organization_id and registration.user_id = person.id
          and registration.purpose = 'email_verification'
      )
      and not exists (
        select
        from app_private.account_mails as invitation
        where invitation.organization_id = person.organization_id and invitation.user_id = person.id
          and invitation.purpose = 'invitation'
      )
    returning * into subject;
    if not found then
      raise exception using errcode = 'AD011', message = 'The organization has a person with this mail address';
    end if;
    perform app_private.spend_links_of(subject.organization_id, subject.id);
  end if;

  perform app_public.set_user_teams(subject.id, coalesce(invite_user.team_ids, '{}'));
  perform app_private.write_account_mail(subject, 'invitation');
  perform app_private.append_audit(subject.organization_id, 'invited', 'app_public.users', subject.id, null, null);
  return subject;
end
$$;

comment on function app_public.invite_user(text, text, app_public.user_role, uuid, uuid[]) is
  'Makes an account and writes an invitation, good for 7 days. Somebody who registered and has not come yet is invited with what is given here. Admins only. Errors: ADDRESS_TAKEN for who has come or was invited before, INVALID_INPUT, NOT_FOUND for a company or team that is not there, SESSION_REQUIRED for a manager or admin, and for who registered in another role.';

create or replace function app_public.resend_invitation(user_id uuid) returns boolean
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  subject constant app_public.users := app_private.person_of_organization(user_id);
begin
  if subject.activated_at is not null then
    raise exception using errcode = 'AD101', message = 'This person has come already';
  end if;
  perform app_private.write_account_mail(subject, 'invitation');
  return true;
end
$$;

comment on function app_public.resend_invitation(uuid) is 'Writes the invitation once more; the link before is worth nothing. Admins only. Error NOT_FOUND for a person who is not there or has come already.';

create or replace function app_public.create_account_link(user_id uuid) returns app_public.account_link
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  subject app_public.users;
  mail_id uuid;
  link app_public.account_link;
begin
  subject := app_private.person_of_organization(user_id);
  if subject.id = (app_private.subject_of_claims()).id then
    raise exception using errcode = 'AD009', message = 'Your own password is changed with the one you have';
  end if;
  link.purpose := case when subject.activated_at is null then 'invitation' else 'password_reset' end;

  perform app_private.spend_links_of(subject.organization_id, subject.id, link.purpose);

  insert into app_private.account_mails (organization_id, user_id, purpose, expires_at, delivery)
  values (
    subject.organization_id, subject.id, link.purpose,
    now() + case link.purpose when 'invitation' then interval '7 days' else interval '1 hour' end, 'handed_over'
  )
  returning id into mail_id;

  perform app_private.append_audit(
    subject.organization_id, 'account_link_made', 'app_public.users', subject.id, null, jsonb_build_object('purpose', link.purpose)
  );
  link.token := app_private.issue_account_token(mail_id);
  return link;
end
$$;

comment on function app_public.create_account_link(uuid) is
  'Makes the link of an invitation (7 days) or of a password reset (1 hour) for an admin to hand over, where no mail reaches the person. Recorded in the audit log. Admins only, and not for themselves. Errors: NOT_FOUND, NOT_YOURSELF, UNAUTHENTICATED, SESSION_REQUIRED.';

revoke all on function
  app_private.person_of_organization(uuid), app_public.set_user_teams(uuid, uuid[]),
  app_public.invite_user(text, text, app_public.user_role, uuid, uuid[]), app_public.resend_invitation(uuid),
  app_public.create_account_link(uuid)
from public;

grant execute on function
  app_public.set_user_teams(uuid, uuid[]), app_public.invite_user(text, text, app_public.user_role, uuid, uuid[]),
  app_public.resend_invitation(uuid), app_public.create_account_link(uuid)
to atum_admin;

--! split: 1028-functions-28-provider-login.sql
-- An identity provider, or a directory, says who somebody is.

create or replace function app_private.role_by_provider(provider app_public.identity_providers, groups text[]) returns app_public.user_role
  language sql stable
  set search_path = ''
as $$
  select coalesce(max((provider.role_mapping ->> membership)::app_public.user_role), provider.default_role)
  from unnest(groups) as membership
  where provider.role_mapping ? membership
$$;

comment on function app_private.role_by_provider(app_public.identity_providers, text[]) is 'The highest role that the groups of a person give, or the default one.';

create or replace function app_private.log_in_by_provider(
  provider_id uuid,
  subject text,
  email text,
  email_verified boolean,
  name text,
  groups text[],
  id_token text,
  ip_address inet,
  user_agent text
) returns jsonb
  language plpgsql volatile security definer
  set search_path = pg_catalog, public, pg_temp
as $$
declare
  provider app_public.identity_providers;
  person app_public.users;
  granted app_public.user_role;
  refused text;
begin
  select known.* into provider
  from app_public.identity_providers as known
  where known.id = log_in_by_provider.provider_id and known.is_enabled;
  if not found then
    return jsonb_build_object('outcome', 'refused', 'reason', 'no_account');
  end if;
  perform set_config('atum.organization_id', provider.organization_id::text, true);
  granted := app_private.role_by_provider(provider, groups);

  select known.* into person
  from app_private.user_identities as identity
  join app_public.users as known on known.organization_id = identity.organization_id and known.id = identity.user_id
  where identity.organization_id = provider.organization_id and identity.provider_id = provider.id
    and identity.subject = log_in_by_provider.subject;

  if not found then
    if not coalesce(email_verified, false) or app_private.mail_address(email) is null then
      refused := 'email_not_verified';
    else
      select known.* into person
      from app_public.users as known
      where known.organization_id = provider.organization_id and known.email = app_private.mail_address(log_in_by_provider.email);

      refused := case
        when person.id is null and not provider.makes_people then 'no_account'
        when person.disabled_at is not null then 'disabled'
        when granted is null and (person.id is null or provider.role_claim is not null) then 'no_role'
        -- The provider means another person by this address than it did: who left does not hand on the account.
        when exists (
          select
          from app_private.user_identities as identity
          where identity.organization_id = person.organization_id and identity.user_id = person.id
            and identity.provider_id = provider.id and identity.subject <> log_in_by_provider.subject
        ) then 'no_account'
      end;

      if refused is null then
        insert into app_public.users (organization_id, email, name, role)
        select
          provider.organization_id, log_in_by_provider.email,
          left(coalesce(nullif(btrim(log_in_by_provider.name), ''), split_part(log_in_by_provider.email, '@', 1)), 120), granted
        where person.id is null
        -- Two first logins at the same moment.
        on conflict on constraint users_organization_id_email_key do nothing;

        -- The address is proved by the provider, as it would be by a link.
        update app_public.users as known
        set activated_at = coalesce(known.activated_at, now())
        where known.organization_id = provider.organization_id and known.email = app_private.mail_address(log_in_by_provider.email)
        returning known.* into strict person;

        insert into app_private.user_identities (organization_id, provider_id, subject, user_id)
        values (provider.organization_id, provider.id, log_in_by_provider.subject, person.id)
        on conflict on constraint user_identities_organization_id_provider_id_subject_key do nothing;
      end if;
    end if;
  else
    refused := case
      when person.disabled_at is not null then 'disabled'
      when provider.role_claim is not null and granted is null then 'no_role'
    end;
  end if;

  if refused is not null then
    perform app_private.append_audit(
      provider.organization_id, 'login_refused', 'app_public.users', person.id, null,
      jsonb_build_object('reason', refused, 'email', left(email, 254), 'provider', provider.name)
    );
    return jsonb_build_object('outcome', 'refused', 'reason', refused);
  end if;

  if provider.role_claim is not null and granted <> person.role then
    begin
      update app_public.users as changed
      set role = granted
      where changed.organization_id = person.organization_id and changed.id = person.id;
      person.role := granted;
    exception
      -- The last admin stays one, whatever the directory says.
      when sqlstate 'AD007' then null;
    end;
  end if;

  return app_private.admit(person, 'provider', ip_address, user_agent, provider.id, id_token);
end
$$;

comment on function app_private.log_in_by_provider(uuid, text, text, boolean, text, text[], text, inet, text) is
  'An identity provider says who somebody is. The subject counts; a verified address binds it to a person once, or makes one. Groups give the role at each login. Answers what `admit` does, or `{outcome: refused, reason}` with `no_account`, `no_role`, `email_not_verified` or `disabled`.';

create or replace function app_private.directory_account(provider_id uuid, username text) returns text
  language sql immutable
  set search_path = ''
as $$
  -- Directories take for one name what differs in case, width, accents, spaces, or in signs that nobody sees.
  select directory_account.provider_id::text || ' ' || lower(btrim(regexp_replace(
    regexp_replace(
      normalize(coalesce(directory_account.username, ''), nfkd), '[\u0300-\u036f\u00ad\u200b-\u200f\u2060\ufeff]', '', 'g'
    ),
    '\s+', ' ', 'g'
  )))
$$;

comment on function app_private.directory_account(uuid, text) is 'By what the passwords of a name in a directory are counted: the same for all spellings that a directory may take for one.';

create or replace function app_private.directory_attempt(provider_id uuid, username text, ip_address inet) returns jsonb
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  account constant text := app_private.directory_account(provider_id, username);
  wait integer;
  before jsonb;
begin
  -- Of guesses that come at once none looks before the one ahead of it is counted.
  perform pg_advisory_xact_lock(hashtextextended(throttle.key, 0))
  from (
    select counted.key from app_private.login_throttles(account, directory_attempt.ip_address) as counted order by counted.key
  ) as throttle;

  wait := app_private.login_wait(account, ip_address);
  if wait > 0 then
    return jsonb_build_object('outcome', 'too_many_attempts', 'retryAfterSeconds', wait);
  end if;

  select jsonb_object_agg(
    failure.key, jsonb_build_object('failedAt', failure.failed_at, 'blockedUntil', failure.blocked_until)
  ) into before
  from app_private.login_throttles(account, directory_attempt.ip_address) as throttle
  join app_private.login_failures as failure on failure.key = throttle.key;
  return jsonb_build_object(
    'outcome', 'ok',
    'receipt', jsonb_build_object(
      'countedAt', now(), 'beginsDelay', app_private.count_login_failure(account, ip_address), 'before', before
    )
  );
end
$$;

comment on function app_private.directory_attempt(uuid, text, inet) is
  'Whether a password of a directory may be tried now, which is counted as if it were wrong: `{outcome: ok, receipt}`, or `{outcome: too_many_attempts, retryAfterSeconds}`. What became of it is told to `directory_answered`.';

create or replace function app_private.directory_answered(
  provider_id uuid, username text, ip_address inet, receipt jsonb, answer text
) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  account constant text := app_private.directory_account(provider_id, username);
  throttle record;
begin
  if answer = 'wrong' then
    perform app_private.append_audit(
      coalesce(
        (select provider.organization_id from app_public.identity_providers as provider where provider.id = directory_answered.provider_id),
        app_hidden.platform_scope()
      ),
      act.operation, 'app_public.identity_providers', directory_answered.provider_id, null,
      jsonb_build_object('username', left(username, 254))
    )
    from (
      select 'login_failed' as operation
      union all
      select 'lockout' where (receipt ->> 'beginsDelay')::boolean
    ) as act;
    return;
  end if;

  -- Given back, in the order in which it was counted.
  for throttle in
    select counted.key from app_private.login_throttles(account, directory_answered.ip_address) as counted order by counted.key
  loop
    update app_private.login_failures as failure
    set failures = failure.failures - 1
    where failure.key = throttle.key;
    -- Unless another one was counted since, all is as it was.
    update app_private.login_failures as failure
    set
      failed_at = coalesce((receipt #>> array['before', throttle.key, 'failedAt'])::timestamptz, failure.failed_at),
      blocked_until = coalesce((receipt #>> array['before', throttle.key, 'blockedUntil'])::timestamptz, '-infinity')
    where failure.key = throttle.key and failure.failed_at = (receipt ->> 'countedAt')::timestamptz;
    delete from app_private.login_failures as failure where failure.key = throttle.key and failure.failures <= 0;
  end loop;

  if answer = 'right' then
    perform app_private.forget_login_failures(account, ip_address);
  end if;
end
$$;

comment on function app_private.directory_answered(uuid, text, inet, jsonb, text) is
  'What became of an attempt: a `wrong` password is recorded and stays counted, a `right` one is forgotten with those before it, and `none`, where the directory did not answer, is not counted.';

revoke all on function
  app_private.role_by_provider(app_public.identity_providers, text[]),
  app_private.log_in_by_provider(uuid, text, text, boolean, text, text[], text, inet, text),
  app_private.directory_account(uuid, text), app_private.directory_attempt(uuid, text, inet),
  app_private.directory_answered(uuid, text, inet, jsonb, text)
from public;

grant execute on function
  app_private.log_in_by_provider(uuid, text, text, boolean, text, text[], text, inet, text),
  app_private.directory_attempt(uuid, text, inet), app_private.directory_answered(uuid, text, inet, jsonb, text)
to atum_server;

--! split: 1029-functions-29-throttles.sql
-- Guessing gets slower: for an account from one address at once, for an account from unknown addresses and for an address
-- with everybody's accounts later. An account is a person of one organization: what happens to another account with the
-- same mail address counts for that one. Where a person was logged in lately, what strangers do does not keep them out
-- for more than a minute; nobody is kept out for more than a quarter of an hour after the last wrong try.

create or replace function app_private.login_throttles(account text, ip_address inet)
  returns table (key text, free integer, longest_seconds integer)
  language sql immutable
  set search_path = ''
as $$
  select
    throttle.kind || ':' || encode(sha256(convert_to(throttle.subject, 'UTF8')), 'hex'), throttle.free, throttle.longest_seconds
  from (
    select
      coalesce(login_throttles.account, '') as account,
      coalesce(app_hidden.network_of(login_throttles.ip_address)::text, '') as network
  ) as who
  cross join lateral (
    values
      ('pair', who.account || ' ' || who.network, 5, 900),
      ('account', who.account, 20, 60),
      ('address', who.network, 50, 900)
  ) as throttle (kind, subject, free, longest_seconds)
$$;

comment on function app_private.login_throttles(text, inet) is 'What a login is counted by, how many failures are free and the longest delay in seconds. An account is the id of a person, or what was given for one where there is none.';

create or replace function app_private.login_wait(account text, ip_address inet, person_id uuid default null) returns integer
  language sql stable
  set search_path = ''
as $$
  with known as (
    select exists (
      select
      from app_private.sessions as session
      where session.user_id = login_wait.person_id
        and app_hidden.network_of(session.ip_address) = app_hidden.network_of(login_wait.ip_address)
        and session.created_at > now() - interval '30 days'
    ) as here
  )
  select coalesce(
    max(ceil(extract(
      epoch from case
        when known.here then least(failure.blocked_until, failure.failed_at + interval '1 minute')
        else failure.blocked_until
      end - now()
    ))),
    0
  )::integer
  from known
  cross join app_private.login_throttles(login_wait.account, login_wait.ip_address) as throttle
  join app_private.login_failures as failure on failure.key = throttle.key
  where failure.blocked_until > now()
    and (not known.here or throttle.key like 'pair:%' and failure.failed_at > now() - interval '1 minute')
$$;

comment on function app_private.login_wait(text, inet, uuid) is 'How many seconds must pass before this address may try this account again; 0 when it may. `person_id` is whose account it is: where they were logged in within 30 days it is a minute at most.';

create or replace function app_private.count_login_failure(account text, ip_address inet) returns boolean
  language plpgsql volatile
  set search_path = ''
as $$
declare
  throttle record;
  failure app_private.login_failures;
  locked boolean := false;
begin
  -- In one order, so that two failures at once do not wait for each other.
  for throttle in
    select * from app_private.login_throttles(count_login_failure.account, count_login_failure.ip_address) as counted order by counted.key
  loop
    insert into app_private.login_failures as counted (key, failures, failed_at) values (throttle.key, 1, now())
    on conflict (key) do update set
      failures = case when counted.failed_at < now() - interval '1 hour' then 1 else counted.failures + 1 end,
      failed_at = now()
    returning * into failure;

    if failure.failures >= throttle.free then
      -- 1, 2, 4, 8 … seconds.
      update app_private.login_failures
      set blocked_until = now() + make_interval(secs => least(2 ^ least(failure.failures - throttle.free, 20), throttle.longest_seconds))
      where key = throttle.key;
      locked := locked or failure.failures = throttle.free;
    end if;
  end loop;
  return locked;
end
$$;

comment on function app_private.count_login_failure(text, inet) is 'Counts a wrong password or code, and says whether a delay began with it.';

create or replace function app_private.forget_login_failures(account text, ip_address inet) returns void
  language sql volatile
  set search_path = ''
as $$
  -- Not those of the address: who guesses may have one right account of their own.
  delete from app_private.login_failures
  where key in (
    select throttle.key
    from app_private.login_throttles(forget_login_failures.account, forget_login_failures.ip_address) as throttle
    where throttle.key like 'pair:%'
  )
$$;

comment on function app_private.forget_login_failures(text, inet) is 'Forgets the failures of an account from an address when the right password came from there.';

create or replace function app_private.take_tokens(
  key text, rate real, burst integer, wanted integer, out granted integer, out retry_after real
)
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  bucket app_private.rate_buckets;
begin
  insert into app_private.rate_buckets as stored (key, level, filled_at) values (take_tokens.key, burst, clock_timestamp())
  on conflict on constraint rate_buckets_pkey do update set
    level = least(burst, stored.level + rate * greatest(extract(epoch from clock_timestamp() - stored.filled_at), 0)),
    filled_at = greatest(stored.filled_at, clock_timestamp())
  returning * into bucket;

  granted := least(greatest(wanted, 1), floor(bucket.level));
  retry_after := case when granted > 0 then 0 else (1 - bucket.level) / rate end;
  if granted > 0 then
    update app_private.rate_buckets as stored set level = stored.level - granted where stored.key = take_tokens.key;
  end if;
end
$$;

comment on function app_private.take_tokens(text, real, integer, integer) is 'Takes up to `wanted` requests from the allowance of a caller, which refills with `rate` a second up to `burst`. With none granted `retry_after` says after how many seconds there is one.';

create or replace function app_private.forget_throttles() returns void
  language sql volatile security definer
  set search_path = ''
as $$
  delete from app_private.login_failures where failed_at < now() - interval '1 day';
  delete from app_private.rate_buckets where filled_at < now() - interval '10 minutes';
  delete from app_private.login_challenges where expires_at < now() - interval '1 hour';
$$;

comment on function app_private.forget_throttles() is 'Forgets what no longer slows anybody down, and challenges that are over.';

revoke all on function
  app_private.login_throttles(text, inet), app_private.login_wait(text, inet, uuid), app_private.count_login_failure(text, inet),
  app_private.forget_login_failures(text, inet), app_private.take_tokens(text, real, integer, integer),
  app_private.forget_throttles()
from public;

grant execute on function app_private.take_tokens(text, real, integer, integer) to atum_server;
grant execute on function app_private.forget_throttles() to atum_worker;

--! split: 1030-functions-30-tickets.sql
-- Who sees what: policies ask these once a query.

create or replace function app_hidden.current_team_ids() returns uuid[]
  language sql stable security definer
  set search_path = ''
as $$
  select coalesce(array_agg(member.team_id), '{}')
  from app_public.team_members as member
  where member.organization_id = app_hidden.current_organization_id() and member.user_id = app_hidden.current_user_id()
$$;

comment on function app_hidden.current_team_ids() is 'The teams the caller works in.';

create or replace function app_hidden.sees_every_team() returns boolean
  language sql stable security definer
  set search_path = ''
as $$
  select not exists (
    select
    from app_public.users as person
    where person.organization_id = app_hidden.current_organization_id() and person.id = app_hidden.current_user_id()
      and person.restricted_to_teams and person.role = 'agent'
  )
$$;

comment on function app_hidden.sees_every_team() is 'Whether the caller, as staff, sees the tickets of all teams: everybody but an agent who is restricted to the own ones.';

-- Queries

create or replace function app_public.ticket_by_number(number integer) returns app_public.tickets
  language sql stable
  set search_path = ''
as $$
  select *
  from app_public.tickets as ticket
  where ticket.organization_id = (select app_hidden.current_organization_id())
    and ticket.number = ticket_by_number.number
$$;

comment on function app_public.ticket_by_number(integer) is 'The ticket with this number in the caller''s organization, or null when there is none the caller may see.';

do $$
begin
  if to_regtype('app_public.inbox_counts') is null then
    create type app_public.inbox_counts as (
      mine integer, unassigned integer, open integer, pending integer, breached integer, resolved integer
    );
  end if;
end
$$;

comment on type app_public.inbox_counts is 'How many tickets are in each part of the inbox.';
comment on column app_public.inbox_counts.mine is 'Assigned to the caller and not resolved.';
comment on column app_public.inbox_counts.unassigned is 'Assigned to nobody and not resolved.';
comment on column app_public.inbox_counts.open is 'New or open.';
comment on column app_public.inbox_counts.pending is 'Pending or on hold.';
comment on column app_public.inbox_counts.breached is 'Not resolved and a target was missed.';
comment on column app_public.inbox_counts.resolved is 'Resolved and not yet closed.';

create or replace function app_public.inbox_counts() returns app_public.inbox_counts
  language sql stable
  set search_path = ''
as $$
  select
    count(*) filter (where status <> 'resolved' and assignee_id = (select app_hidden.current_user_id()))::integer,
    count(*) filter (where status <> 'resolved' and assignee_id is null)::integer,
    count(*) filter (where status in ('new', 'open'))::integer,
    count(*) filter (where status in ('pending', 'on_hold'))::integer,
    count(*) filter (where status <> 'resolved' and breached)::integer,
    count(*) filter (where status = 'resolved')::integer
  from app_public.tickets
  where organization_id = (select app_hidden.current_organization_id())
    and status in ('new', 'open', 'pending', 'on_hold', 'resolved')
$$;

comment on function app_public.inbox_counts() is 'How many of the tickets the caller may see are in each part of the inbox. Closed tickets are not counted.';

-- Mutations

create or replace function app_public.create_ticket(
  subject text,
  body text,
  priority app_public.ticket_priority default 'normal',
  service_id uuid default null,
  requester_id uuid default null,
  client_mutation_key text default null
) returns app_public.tickets
  language plpgsql volatile
  set search_path = ''
as $$
#variable_conflict use_column
declare
  ticket app_public.tickets;
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  caller_id constant uuid := app_hidden.current_user_id();
begin
  if caller_id is null then
    raise exception using errcode = 'AD001', message = 'Log in to open a ticket';
  end if;

  -- A retry is answered before anything is tried: it uses up no number, and no rule that came since refuses it.
  select * into ticket
  from app_public.tickets as made
  where made.organization_id = caller_organization_id
    and made.created_by_id = caller_id
    and made.client_mutation_key = create_ticket.client_mutation_key;
  if found then
    return ticket;
  end if;

  insert into app_public.tickets
    (organization_id, subject, priority, service_id, requester_id, created_by_id, channel, client_mutation_key)
  values (
    caller_organization_id, btrim(create_ticket.subject), coalesce(create_ticket.priority, 'normal'), create_ticket.service_id,
    coalesce(create_ticket.requester_id, caller_id), caller_id,
    case when app_hidden.is_staff() then 'desk' else 'portal' end::app_public.ticket_channel,
    create_ticket.client_mutation_key
  )
  -- Two calls with the same key at the same moment.
  on conflict (organization_id, created_by_id, client_mutation_key) where client_mutation_key is not null do nothing
  returning * into ticket;

  if found then
    insert into app_public.comments (organization_id, ticket_id, author_id, body)
    values (caller_organization_id, ticket.id, caller_id, create_ticket.body);

    -- Read again, because the triggers set its clocks.
    select * into strict ticket
    from app_public.tickets as made
    where made.organization_id = caller_organization_id and made.id = ticket.id;
  else
    select * into strict ticket
    from app_public.tickets as made
    where made.organization_id = caller_organization_id
      and made.created_by_id = caller_id
      and made.client_mutation_key = create_ticket.client_mutation_key;
  end if;
  return ticket;
end
$$;

comment on function app_public.create_ticket(text, text, app_public.ticket_priority, uuid, uuid, text) is
  'Opens a ticket and returns it. `subject` has 1 to 200 characters, `body` 1 to 65,536 bytes of plain text. Staff may name another `requesterId`; without one the caller is the requester. Retrying with the same `clientMutationKey` (8 to 64 characters) returns the ticket the first call made. Errors: UNAUTHENTICATED, INVALID_INPUT, FORBIDDEN, NOT_FOUND for a service or requester that is not there, SERVICE_ARCHIVED.';

-- Triggers

create or replace function app_private.tg_tickets__stamp() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  if TG_OP = 'INSERT' then
    if NEW.number is null then
      -- Locks the counter of this organization alone until the end of the transaction.
      update app_private.ticket_counters
      set last_number = last_number + 1
      where organization_id = NEW.organization_id
      returning last_number into NEW.number;
    end if;

    select organization.ticket_prefix || '-' || NEW.number into NEW.reference
    from app_public.organizations as organization
    where organization.id = NEW.organization_id;

    if NEW.company_id is null then
      select requester.company_id into NEW.company_id
      from app_public.users as requester
      where requester.organization_id = NEW.organization_id and requester.id = NEW.requester_id;
    end if;

    if NEW.team_id is null and NEW.service_id is not null then
      select service.team_id into NEW.team_id
      from app_public.services as service
      where service.organization_id = NEW.organization_id and service.id = NEW.service_id;
    end if;

    return NEW;
  end if;

  NEW.subject := btrim(NEW.subject);

  -- An import may bring its own history; nobody but the owner has the right to name this column.
  if NEW.updated_at is not distinct from OLD.updated_at then
    NEW.updated_at := now();
  end if;

  if NEW.status is distinct from OLD.status then
    NEW.resolved_at := case
      when NEW.status not in ('resolved', 'closed') then null
      else coalesce(OLD.resolved_at, NEW.updated_at)
    end;
    NEW.closed_at := case when NEW.status = 'closed' then NEW.updated_at end;
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_tickets__stamp() is 'Gives a new ticket its number, reference, team and company, and keeps the instants that follow from its status.';

-- Not when only its clocks moved: that is no news about the ticket.
create or replace trigger _100_stamp
  before insert or update of subject, status, priority, service_id, team_id, assignee_id, requester_id on app_public.tickets
  for each row execute function app_private.tg_tickets__stamp();

create or replace function app_private.tg_tickets__refuse() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  if NEW.assignee_id is not null
    and (TG_OP = 'INSERT' or NEW.assignee_id is distinct from OLD.assignee_id)
    and exists (
      select
      from app_public.users as assignee
      where assignee.organization_id = NEW.organization_id and assignee.id = NEW.assignee_id
        and (assignee.role = 'customer' or assignee.disabled_at is not null)
    )
  then
    raise exception using errcode = 'AD103', message = 'Only active staff can be assigned to a ticket';
  end if;

  if NEW.service_id is not null
    and (TG_OP = 'INSERT' or NEW.service_id is distinct from OLD.service_id)
    and exists (
      select
      from app_public.services as service
      where service.organization_id = NEW.organization_id and service.id = NEW.service_id and service.archived_at is not null
    )
  then
    raise exception using errcode = 'AD104', message = 'This service is no longer offered';
  end if;

  if TG_OP = 'UPDATE' and NEW.status = 'new' and OLD.status <> 'new' then
    raise exception using errcode = 'AD105', message = 'A ticket that was worked on cannot become new again';
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_tickets__refuse() is 'Refuses an assignee who is not active staff, an archived service, and going back to `new`. Errors ASSIGNEE_NOT_STAFF, SERVICE_ARCHIVED, STATUS_MOVE_REFUSED.';

create or replace trigger _200_refuse before insert or update of assignee_id, service_id, status on app_public.tickets
  for each row execute function app_private.tg_tickets__refuse();

-- The spine: what changed becomes one typed event for each thing that changed.
create or replace function app_private.tg_tickets__record_events() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  if TG_OP = 'INSERT' then
    insert into app_public.ticket_events (organization_id, ticket_id, type, visibility, actor_id, after, created_at)
    values (
      NEW.organization_id, NEW.id, 'ticket_created', 'public', coalesce(app_hidden.current_user_id(), NEW.created_by_id),
      jsonb_build_object('status', NEW.status, 'priority', NEW.priority, 'channel', NEW.channel), NEW.created_at
    );
    return null;
  end if;

  insert into app_public.ticket_events (organization_id, ticket_id, type, visibility, actor_id, before, after, created_at)
  select
    NEW.organization_id, NEW.id, change.type::app_public.ticket_event_type, change.visibility::app_public.comment_visibility,
    app_hidden.current_user_id(), change.before, change.after, NEW.updated_at
  from (
    select 'subject_changed', 'public', jsonb_build_object('subject', OLD.subject), jsonb_build_object('subject', NEW.subject)
    where NEW.subject <> OLD.subject
    union all
    select 'priority_changed', 'internal', jsonb_build_object('priority', OLD.priority), jsonb_build_object('priority', NEW.priority)
    where NEW.priority <> OLD.priority
    union all
    select 'service_changed', 'internal',
      app_private.named_reference('service', OLD.service_id, (select name from app_public.services where organization_id = OLD.organization_id and id = OLD.service_id)),
      app_private.named_reference('service', NEW.service_id, (select name from app_public.services where organization_id = NEW.organization_id and id = NEW.service_id))
    where NEW.service_id is distinct from OLD.service_id
    union all
    select 'team_changed', 'internal',
      app_private.named_reference('team', OLD.team_id, (select name from app_public.teams where organization_id = OLD.organization_id and id = OLD.team_id)),
      app_private.named_reference('team', NEW.team_id, (select name from app_public.teams where organization_id = NEW.organization_id and id = NEW.team_id))
    where NEW.team_id is distinct from OLD.team_id
    union all
    select 'assignee_changed', 'internal',
      app_private.named_reference('assignee', OLD.assignee_id, (select name from app_public.users where organization_id = OLD.organization_id and id = OLD.assignee_id)),
      app_private.named_reference('assignee', NEW.assignee_id, (select name from app_public.users where organization_id = NEW.organization_id and id = NEW.assignee_id))
    where NEW.assignee_id is distinct from OLD.assignee_id
    union all
    select 'status_changed', 'public', jsonb_build_object('status', OLD.status), jsonb_build_object('status', NEW.status)
    where NEW.status <> OLD.status
  ) as change (type, visibility, before, after);
  return null;
end
$$;

comment on function app_private.tg_tickets__record_events() is 'Writes the events of a ticket that was made or changed.';

create or replace function app_private.named_reference(word text, id uuid, name text) returns jsonb
  language sql immutable
  set search_path = ''
as $$
  select jsonb_build_object(word || '_id', id, word || '_name', name)
$$;

comment on function app_private.named_reference(text, uuid, text) is 'A reference as an event keeps it: with the name it had at that time.';

create or replace trigger _500_record_events
  after insert or update of subject, status, priority, service_id, team_id, assignee_id on app_public.tickets
  for each row execute function app_private.tg_tickets__record_events();

create or replace function app_private.tg_ticket_events__notify() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  payload constant text := json_build_object('event', NEW.type, 'ticketId', NEW.ticket_id, 'eventId', NEW.id);
  ticket app_public.tickets;
begin
  select * into strict ticket
  from app_public.tickets as changed
  where changed.organization_id = NEW.organization_id and changed.id = NEW.ticket_id;

  -- Channel names have at most 63 bytes, and the payload holds ids only: what they mean is read again under the
  -- row-level security of whoever listens.
  perform pg_notify('ticket:' || NEW.ticket_id || ':staff', payload);
  perform pg_notify('inbox:' || NEW.organization_id, payload);
  perform pg_notify('agent:' || agent.id, payload)
  from app_public.users as agent
  where agent.organization_id = NEW.organization_id and agent.restricted_to_teams
    and (
      agent.id in (ticket.assignee_id, ticket.requester_id)
      or exists (
        select
        from app_public.team_members as member
        where member.organization_id = agent.organization_id and member.user_id = agent.id and member.team_id = ticket.team_id
      )
    );

  if NEW.visibility = 'public' then
    perform pg_notify('ticket:' || NEW.ticket_id || ':public', payload);
    perform pg_notify('requester:' || ticket.requester_id, payload);
    perform pg_notify('requester:' || colleague.id, payload)
    from app_public.companies as company
    join app_public.users as colleague on colleague.organization_id = company.organization_id and colleague.company_id = company.id
    where company.organization_id = NEW.organization_id and company.id = ticket.company_id and company.shares_tickets
      and colleague.id <> ticket.requester_id;
  end if;
  return null;
end
$$;

comment on function app_private.tg_ticket_events__notify() is 'Tells the listeners of a ticket, of the inbox, the agents who see only their teams, its requester and the colleagues who may see it that something happened.';

create or replace trigger _800_notify after insert on app_public.ticket_events
  for each row execute function app_private.tg_ticket_events__notify();

revoke all on function
  app_hidden.current_team_ids(), app_hidden.sees_every_team(),
  app_public.ticket_by_number(integer), app_public.inbox_counts(),
  app_public.create_ticket(text, text, app_public.ticket_priority, uuid, uuid, text),
  app_private.tg_tickets__stamp(), app_private.tg_tickets__refuse(), app_private.tg_tickets__record_events(),
  app_private.named_reference(text, uuid, text), app_private.tg_ticket_events__notify()
from public;

grant execute on function
  app_public.ticket_by_number(integer),
  app_public.create_ticket(text, text, app_public.ticket_priority, uuid, uuid, text)
to atum_customer, atum_agent;
grant execute on function app_public.inbox_counts() to atum_agent;
grant execute on function app_hidden.current_team_ids(), app_hidden.sees_every_team() to atum_agent;

--! split: 1032-functions-32-comments.sql
create or replace function app_public.add_comment(
  ticket_id uuid,
  body text,
  visibility app_public.comment_visibility default 'public',
  status app_public.ticket_status default null,
  client_mutation_key text default null
) returns app_public.comments
  language plpgsql volatile
  set search_path = ''
as $$
#variable_conflict use_column
declare
  ticket app_public.tickets;
  made app_public.comments;
  caller_organization_id constant uuid := app_hidden.current_organization_id();
  caller_id constant uuid := app_hidden.current_user_id();
  next_status app_public.ticket_status := add_comment.status;
begin
  if caller_id is null then
    raise exception using errcode = 'AD001', message = 'Log in to write a comment';
  end if;

  -- A retry is answered before anything is tried: no rule that came since refuses it.
  select * into made
  from app_public.comments as earlier
  where earlier.organization_id = caller_organization_id
    and earlier.author_id = caller_id
    and earlier.client_mutation_key = add_comment.client_mutation_key;
  if found then
    return made;
  end if;

  -- A ticket of somebody else and one that never was look the same.
  select * into ticket
  from app_public.tickets as visible
  where visible.organization_id = caller_organization_id and visible.id = add_comment.ticket_id;
  if not found then
    raise exception using errcode = 'AD101', message = 'There is no such ticket';
  end if;

  insert into app_public.comments (organization_id, ticket_id, author_id, visibility, body, client_mutation_key)
  values (
    caller_organization_id, add_comment.ticket_id, caller_id, coalesce(add_comment.visibility, 'public'), add_comment.body,
    add_comment.client_mutation_key
  )
  -- Two calls with the same key at the same moment.
  on conflict (organization_id, author_id, client_mutation_key) where client_mutation_key is not null do nothing
  returning * into made;

  if not found then
    select * into strict made
    from app_public.comments as earlier
    where earlier.organization_id = caller_organization_id
      and earlier.author_id = caller_id
      and earlier.client_mutation_key = add_comment.client_mutation_key;
    return made;
  end if;

  -- The first public answer takes a new ticket into work, unless the answer says otherwise.
  if next_status is null
    and ticket.status = 'new' and made.visibility = 'public'
    and app_hidden.is_staff() and ticket.requester_id <> caller_id
  then
    next_status := 'open';
  end if;

  if next_status is not null and next_status <> ticket.status then
    update app_public.tickets as answered
    set status = next_status
    where answered.organization_id = caller_organization_id and answered.id = add_comment.ticket_id;
  end if;

  return made;
end
$$;

comment on function app_public.add_comment(uuid, text, app_public.comment_visibility, app_public.ticket_status, text) is
  'Says something on a ticket and returns the comment. `body` is plain text of 1 to 65,536 bytes. Staff may write `internal` comments and set the `status` in the same save. A requester, or a colleague with whom the company shares tickets, who answers a pending, on-hold or resolved ticket opens it again. Retrying with the same `clientMutationKey` (8 to 64 characters) returns the comment the first call made. Errors: UNAUTHENTICATED, NOT_FOUND, INVALID_INPUT, FORBIDDEN, TICKET_CLOSED.';

create or replace function app_private.tg_comments__refuse() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
begin
  if NEW.visibility = 'public' and exists (
    select
    from app_public.tickets as ticket
    where ticket.organization_id = NEW.organization_id and ticket.id = NEW.ticket_id
      and ticket.status = 'closed' and ticket.closed_at < NEW.created_at
  ) then
    raise exception using errcode = 'AD102', message = 'This ticket is closed; open a new one';
  end if;
  return NEW;
end
$$;

comment on function app_private.tg_comments__refuse() is 'Refuses a public comment on a closed ticket. Error TICKET_CLOSED.';

create or replace trigger _200_refuse before insert on app_public.comments
  for each row execute function app_private.tg_comments__refuse();

create or replace function app_private.tg_comments__follow() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  ticket app_public.tickets;
  by_staff boolean;
begin
  -- The description is part of opening the ticket, not something that happened to it.
  if not exists (
    select
    from app_public.comments as earlier
    where earlier.organization_id = NEW.organization_id and earlier.ticket_id = NEW.ticket_id and earlier.id <> NEW.id
  ) then
    return null;
  end if;

  select * into ticket
  from app_public.tickets
  where organization_id = NEW.organization_id and id = NEW.ticket_id
  for no key update;

  by_staff := NEW.author_id is distinct from ticket.requester_id and exists (
    select
    from app_public.users as author
    where author.organization_id = NEW.organization_id and author.id = NEW.author_id and author.role <> 'customer'
  );

  insert into app_public.ticket_events (organization_id, ticket_id, type, visibility, actor_id, comment_id, created_at)
  values (NEW.organization_id, NEW.ticket_id, 'comment_added', NEW.visibility, NEW.author_id, NEW.id, NEW.created_at);

  update app_public.tickets
  set
    last_comment_at = case when NEW.visibility = 'public' then greatest(last_comment_at, NEW.created_at) else last_comment_at end,
    updated_at = greatest(updated_at, NEW.created_at),
    first_responded_at = case
      when first_responded_at is null and by_staff and NEW.visibility = 'public' then NEW.created_at
      else first_responded_at
    end,
    status = case
      when NEW.author_id is not null and not by_staff and NEW.visibility = 'public' and status in ('pending', 'on_hold', 'resolved')
        then 'open'
      else status
    end
  where organization_id = NEW.organization_id and id = NEW.ticket_id;
  return null;
end
$$;

comment on function app_private.tg_comments__follow() is 'Records the event of a comment and moves its ticket: last comment, first response, and open again when the requester or a colleague answers.';

create or replace trigger _500_follow after insert on app_public.comments
  for each row execute function app_private.tg_comments__follow();

revoke all on function
  app_public.add_comment(uuid, text, app_public.comment_visibility, app_public.ticket_status, text),
  app_private.tg_comments__refuse(), app_private.tg_comments__follow()
from public;

grant execute on function
  app_public.add_comment(uuid, text, app_public.comment_visibility, app_public.ticket_status, text)
to atum_customer, atum_agent;

--! split: 1080-functions-80-audit.sql
-- The canonical text of a record. docs/SECURITY.md repeats it byte for byte for those who verify an export.

create or replace function app_hidden.platform_scope() returns uuid
  language sql immutable parallel safe
  return '00000000-0000-0000-0000-000000000000'::uuid;

comment on function app_hidden.platform_scope() is 'The chain of what belongs to no organization, such as a login with an unknown address.';

create or replace function app_hidden.audit_field(name text, value text) returns text
  language sql immutable parallel safe
  return name || ':' || coalesce(octet_length(convert_to(value, 'UTF8'))::text || ':' || value, '-') || E'\n';

comment on function app_hidden.audit_field(text, text) is 'One line of the canonical text: `name:bytes:value`, or `name:-` for null.';

create or replace function app_hidden.audit_canonical_text(record app_public.audit_log) returns text
  language sql stable parallel safe
  return
    'atum-audit-v1' || E'\n'
    || app_hidden.audit_field('chain_scope', record.chain_scope)
    || app_hidden.audit_field('seq', record.seq::text)
    || app_hidden.audit_field('id', record.id::text)
    || app_hidden.audit_field('recorded_at', to_char(record.recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
    || app_hidden.audit_field('actor_id', record.actor_id::text)
    || app_hidden.audit_field('actor_role', record.actor_role)
    || app_hidden.audit_field('ip_address', host(record.ip_address))
    || app_hidden.audit_field('request_id', record.request_id)
    || app_hidden.audit_field('operation', record.operation)
    || app_hidden.audit_field('table_name', record.table_name)
    || app_hidden.audit_field('row_id', record.row_id::text)
    || app_hidden.audit_field('before', record.before::text)
    || app_hidden.audit_field('after', record.after::text)
    || app_hidden.audit_field('prev_hash', record.prev_hash);

comment on function app_hidden.audit_canonical_text(app_public.audit_log) is 'The text over which the hash of a record is made.';

create or replace function app_hidden.audit_row_hash(record app_public.audit_log) returns text
  language sql stable parallel safe
  return encode(sha256(convert_to(app_hidden.audit_canonical_text(record), 'UTF8')), 'hex');

comment on function app_hidden.audit_row_hash(app_public.audit_log) is 'The sha256 of the canonical text, in hexadecimal.';

-- The head of a chain is one row, locked by the first link of a transaction. It is written with that link and once more
-- at the end: writing it with every link would leave as many dead versions of it, and a transaction of ten thousand
-- changes would walk past all of them each time (minutes instead of seconds). In between the last link is read from the
-- log, where it is ours because the head is locked. A setting says where it is; whoever speaks SQL can write one, so it
-- is believed only where the log has that link and none after it: two looks at an index, however long the log is.
create or replace function app_private.last_audit_link(organization_id uuid) returns app_private.audit_heads
  language plpgsql stable
  set search_path = ''
as $$
declare
  hint constant bigint :=
    coalesce(nullif(current_setting('atum.audit_heads', true), ''), '{}')::jsonb -> last_audit_link.organization_id::text;
  last app_private.audit_heads;
begin
  select link.organization_id, link.seq, link.row_hash into last
  from app_public.audit_log as link
  where link.organization_id = last_audit_link.organization_id and link.seq = hint
    and not exists (
      select
      from app_public.audit_log as later
      where later.organization_id = last_audit_link.organization_id and later.seq = hint + 1
    );
  if not found then
    select link.organization_id, link.seq, link.row_hash into last
    from app_public.audit_log as link
    where link.organization_id = last_audit_link.organization_id
    order by link.seq desc
    limit 1;
  end if;
  return last;
end
$$;

comment on function app_private.last_audit_link(uuid) is 'The last link of a chain whose head is locked by this transaction.';

create or replace function app_private.append_audit(
  organization_id uuid,
  operation text,
  table_name text,
  row_id uuid,
  before jsonb,
  after jsonb,
  actor_id uuid default app_hidden.current_user_id()
) returns void
  language plpgsql volatile security definer
  set search_path = ''
as $$
declare
  head app_private.audit_heads;
  is_ours boolean;
  link app_public.audit_log;
begin
  loop
    select * into head
    from app_private.audit_heads as stored
    where stored.organization_id = append_audit.organization_id
    for update;
    exit when found;
    insert into app_private.audit_heads (organization_id, seq, row_hash)
    values (append_audit.organization_id, 0, repeat('0', 64))
    on conflict do nothing;
  end loop;

  is_ours := head.changed_by is not distinct from pg_current_xact_id();
  if is_ours then
    head := app_private.last_audit_link(append_audit.organization_id);
  end if;

  link.organization_id := append_audit.organization_id;
  link.id := app_hidden.uuid_v7();
  link.chain_scope := append_audit.organization_id::text;
  link.seq := head.seq + 1;
  link.recorded_at := clock_timestamp();
  link.actor_role := app_hidden.acting_role();
  -- The server says for whom it acts and from where; whoever logs in to Postgres acts for themselves.
  if session_user in ('atum_operator', 'atum_worker') then
    link.ip_address := inet_client_addr();
  else
    link.actor_id := append_audit.actor_id;
    link.ip_address := app_hidden.current_address();
  end if;
  link.request_id := nullif(current_setting('atum.request_id', true), '');
  link.operation := append_audit.operation;
  link.table_name := append_audit.table_name;
  link.row_id := append_audit.row_id;
  link.before := append_audit.before;
  link.after := append_audit.after;
  link.prev_hash := head.row_hash;
  link.row_hash := app_hidden.audit_row_hash(link);

  insert into app_public.audit_log values (link.*);

  perform set_config(
    'atum.audit_heads',
    (
      coalesce(nullif(current_setting('atum.audit_heads', true), ''), '{}')::jsonb
      || jsonb_build_object(append_audit.organization_id, link.seq)
    )::text,
    true
  );

  if not is_ours then
    update app_private.audit_heads as stored
    set seq = link.seq, row_hash = link.row_hash, changed_by = pg_current_xact_id()
    where stored.organization_id = append_audit.organization_id;
  end if;
end
$$;

comment on function app_private.append_audit(uuid, text, text, uuid, jsonb, jsonb, uuid) is 'Adds one link to the chain of an organization.';

create or replace function app_private.tg_audit_heads__store() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  last constant app_private.audit_heads := app_private.last_audit_link(NEW.organization_id);
begin
  -- The head's row is locked since the first link, so that the last one is ours. It is nobody's from here on, so that a
  -- link that comes after this one writes it, and stores it, again.
  update app_private.audit_heads as stored
  set seq = last.seq, row_hash = last.row_hash, changed_by = null
  where stored.organization_id = NEW.organization_id and stored.changed_by is not null;
  return null;
end
$$;

comment on function app_private.tg_audit_heads__store() is 'Stores the last head of a chain when all links of the transaction are made.';

drop trigger if exists _900_store on app_private.audit_heads;

create constraint trigger _900_store after update on app_private.audit_heads
  deferrable initially deferred for each row execute function app_private.tg_audit_heads__store();

-- Deferred to the end of the transaction, so that the head of the chain is the last lock a transaction takes: it is
-- held only while committing, and two writers that want each other's rows cannot deadlock over it.
create or replace function app_private.tg__audit() returns trigger
  language plpgsql security definer
  set search_path = ''
as $$
declare
  old_row constant jsonb := case when TG_OP = 'INSERT' then null else to_jsonb(OLD) end;
  new_row constant jsonb := case when TG_OP = 'DELETE' then null else to_jsonb(NEW) end;
  whole_row constant jsonb := coalesce(new_row, old_row);
  before jsonb := old_row;
  after jsonb := new_row;
  masked text;
begin
  if TG_OP = 'UPDATE' then
    select jsonb_object_agg(field.key, old_row -> field.key), jsonb_object_agg(field.key, field.value)
    into before, after
    from jsonb_each(new_row) as field
    where field.value is distinct from old_row -> field.key
      -- Moves each minute; a use from a new address is recorded as an act.
      and field.key not in ('last_used_at', 'last_used_ip');

    if after is null then
      return null;
    end if;
  end if;

  foreach masked in array coalesce(TG_ARGV, '{}') loop
    if before ? masked then
      before := before || jsonb_build_object(masked, '***');
    end if;
    if after ? masked then
      after := after || jsonb_build_object(masked, '***');
    end if;
  end loop;

  perform app_private.append_audit(
    coalesce(whole_row ->> 'organization_id', whole_row ->> 'id')::uuid,
    lower(TG_OP),
    TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME,
    coalesce(whole_row ->> 'id', whole_row ->> 'user_id', whole_row ->> 'provider_id', whole_row ->> 'token_id')::uuid,
    before,
    after
  );
  return null;
end
$$;

comment on function app_private.tg__audit() is 'Records a change of a tenant table. Its arguments name the columns whose values are masked.';

create or replace function app_private.tg_audit_log__refuse() returns trigger
  language plpgsql
  set search_path = ''
as $$
begin
  raise exception using errcode = 'AD401', message = 'The audit log only grows';
end
$$;

comment on function app_private.tg_audit_log__refuse() is 'Refuses to change or remove what was recorded, also to the owner. Error AUDIT_APPEND_ONLY.';

create or replace trigger _200_refuse_change before update or delete on app_public.audit_log
  for each row execute function app_private.tg_audit_log__refuse();

create or replace trigger _200_refuse_truncate before truncate on app_public.audit_log
  for each statement execute function app_private.tg_audit_log__refuse();

-- Every tenant table is audited, except the log, two counters that change with every write and are checked by it, and
-- logins that are under way.
do $$
declare
  audited record;
begin
  for audited in
    select
      tenant.table_name,
      case tenant.table_name
        when 'app_private.user_secrets' then $masked$'password_hash'$masked$
        when 'app_private.sessions' then $masked$'family', 'refresh_token_hash', 'previous_refresh_token_hash', 'id_token'$masked$
        when 'app_private.authenticators' then $masked$'sealed'$masked$
        when 'app_private.identity_provider_secrets' then $masked$'sealed'$masked$
        when 'app_private.recovery_codes' then $masked$'code_hash'$masked$
        when 'app_private.account_mails' then $masked$'token_hash'$masked$
        when 'app_private.api_token_secrets' then $masked$'token_hash'$masked$
        else ''
      end as masked
    from app_private.tenant_tables() as tenant
    where tenant.table_name not in (
      'app_public.audit_log', 'app_private.audit_heads', 'app_private.ticket_counters', 'app_private.login_challenges'
    )
  loop
    execute format('drop trigger if exists _900_audit on %s', audited.table_name);
    execute format(
      'create constraint trigger _900_audit after insert or update or delete on %s'
      ' deferrable initially deferred for each row execute function app_private.tg__audit(%s)',
      audited.table_name, audited.masked
    );
  end loop;
end
$$;

create or replace function app_private.verify_audit_chain_of(organization_id uuid)
  returns table (chain_scope text, checked bigint, verified boolean, broken_seq bigint, broken_id uuid, reason text)
  language sql stable security definer
  set search_path = ''
as $$
  with links as (
    select
      link.seq, link.id, link.prev_hash, link.row_hash,
      row_number() over in_order as expected_seq,
      lag(link.row_hash, 1, repeat('0', 64)) over in_order as expected_prev_hash,
      app_hidden.audit_row_hash(link) as expected_row_hash
    from app_public.audit_log as link
    where link.organization_id = verify_audit_chain_of.organization_id
    window in_order as (order by link.seq)
  ),
  faults as (
    select
      seq, id,
      case
        when seq <> expected_seq then format('record %s is missing', expected_seq)
        when row_hash <> expected_row_hash then 'its content does not match its hash'
        else 'it does not follow the record before it'
      end as reason
    from links
    where seq <> expected_seq or row_hash <> expected_row_hash or prev_hash <> expected_prev_hash
    order by seq
    limit 1
  ),
  tail as (
    select count(*) as checked, max(seq) as seq, (array_agg(row_hash order by seq desc))[1] as row_hash from links
  ),
  head as (
    select heads.seq, heads.row_hash
    from app_private.audit_heads as heads
    where heads.organization_id = verify_audit_chain_of.organization_id
  ),
  verdict as (
    select seq, id, reason from faults
    union all
    select
      case
        when coalesce(tail.seq, 0) < coalesce(head.seq, 0) then coalesce(tail.seq, 0) + 1
        when coalesce(tail.seq, 0) > coalesce(head.seq, 0) then coalesce(head.seq, 0) + 1
        else tail.seq
      end,
      null,
      case when coalesce(tail.seq, 0) < head.seq then format('the last %s records are missing', head.seq - coalesce(tail.seq, 0))
        else 'the end of the chain is not where its head says' end
    from tail
    left join head on true
    where not exists (select from faults)
      and (coalesce(tail.seq, 0), coalesce(tail.row_hash, repeat('0', 64)))
        is distinct from (coalesce(head.seq, 0), coalesce(head.row_hash, repeat('0', 64)))
  )
  select
    verify_audit_chain_of.organization_id::text, tail.checked, verdict.reason is null, verdict.seq, verdict.id, verdict.reason
  from tail
  left join verdict on true
$$;

comment on function app_private.verify_audit_chain_of(uuid) is 'Follows one chain from its first record to its head and names the first that is wrong.';

create or replace function app_private.audit_scopes() returns setof uuid
  language sql stable security definer
  set search_path = ''
as $$
  select organization_id from app_private.audit_heads
  union
  select id from app_public.organizations
  union
  -- A scope whose head was removed still has its records. Found by skipping from one organization to the next.
  select organization_id from (
    with recursive scopes (organization_id) as (
      (select organization_id from app_public.audit_log order by organization_id limit 1)
      union all
      select (
        select next.organization_id from app_public.audit_log as next
        where next.organization_id > scopes.organization_id order by next.organization_id limit 1
      )
      from scopes
      where scopes.organization_id is not null
    )
    select organization_id from scopes where organization_id is not null
  ) as recorded
  order by 1
$$;

comment on function app_private.audit_scopes() is 'Every chain there is.';

create or replace function app_public.verify_audit_chain(
  out checked bigint, out verified boolean, out broken_seq bigint, out reason text
)
  language plpgsql stable security definer
  set search_path = ''
as $$
begin
  if app_hidden.current_organization_id() is null then
    raise exception using errcode = 'AD001', message = 'Log in to verify the audit log of your organization';
  end if;

  select result.checked, result.verified, result.broken_seq, result.reason
  into checked, verified, broken_seq, reason
  from app_private.verify_audit_chain_of(app_hidden.current_organization_id()) as result;
end
$$;

comment on function app_public.verify_audit_chain() is
  'Follows the audit chain of the organization: how many records were checked, whether all are as they were written, and the first that is not and why. Admins only. Error UNAUTHENTICATED without claims.';

revoke all on function
  app_hidden.platform_scope(), app_hidden.audit_field(text, text), app_hidden.audit_canonical_text(app_public.audit_log),
  app_hidden.audit_row_hash(app_public.audit_log),
  app_private.last_audit_link(uuid), app_private.append_audit(uuid, text, text, uuid, jsonb, jsonb, uuid),
  app_private.tg_audit_heads__store(),
  app_private.tg__audit(),
  app_private.tg_audit_log__refuse(), app_private.verify_audit_chain_of(uuid), app_private.audit_scopes(),
  app_public.verify_audit_chain()
from public;

grant execute on function app_public.verify_audit_chain() to atum_admin;

--! split: 2012-policies-12-companies.sql
select app_private.reset_access('app_public.companies');

-- Customers know the company they work for.
create policy select_member on app_public.companies for select to atum_customer
  using (
    organization_id = (select app_hidden.current_organization_id())
    and id = (select company_id from app_public."current_user"())
  );

create policy select_staff on app_public.companies for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

create policy update_admin on app_public.companies for update to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.companies to atum_customer, atum_agent;
grant update (name, shares_tickets) on app_public.companies to atum_admin;
-- NOTE: made and removed by functions.

--! split: 2014-policies-14-security-policies.sql
select app_private.reset_access('app_public.security_policies');

create policy select_admin on app_public.security_policies for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

-- NOTE: changed by change_security_policy, which keeps a way in.
grant select on app_public.security_policies to atum_admin;

--! split: 2016-policies-16-ip-rules.sql
select app_private.reset_access('app_public.ip_rules');

create policy select_admin on app_public.ip_rules for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

-- NOTE: added and removed by functions, which ask an admin before they lock the admin out.
grant select on app_public.ip_rules to atum_admin;

--! split: 2017-policies-17-identity-providers.sql
select app_private.reset_access('app_public.identity_providers');

create policy select_admin on app_public.identity_providers for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

-- NOTE: saved and deleted by functions.
grant select on app_public.identity_providers to atum_admin;

select app_private.reset_access('app_private.identity_provider_secrets');

select app_private.reset_access('app_private.user_identities');

--! split: 2020-policies-20-identity.sql
select app_private.reset_access('app_public.users');

-- Customers see who helps them, themselves, and the colleagues with whom they share tickets.
create policy select_customer on app_public.users for select to atum_customer
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      role <> 'customer'
      or id = (select app_hidden.current_user_id())
      or company_id = (select app_hidden.shared_company_id())
    )
  );

create policy select_staff on app_public.users for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

-- Everybody says how they are called, and in which language and time zone they live.
create policy update_self on app_public.users for update to atum_customer, atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and id = (select app_hidden.current_user_id())
  )
  with check (
    organization_id = (select app_hidden.current_organization_id())
    and id = (select app_hidden.current_user_id())
  );

create policy update_admin on app_public.users for update to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()))
  with check (organization_id = (select app_hidden.current_organization_id()));

-- NOTE: by column for customers, because the mail addresses of staff are not theirs to read.
grant select (organization_id, id, name, role) on app_public.users to atum_customer;
grant select on app_public.users to atum_agent;
grant update (name, locale, time_zone) on app_public.users to atum_customer, atum_agent;
grant update (email, role, company_id, restricted_to_teams, is_break_glass, disabled_at) on app_public.users to atum_admin;
-- NOTE: insert is granted to nobody; people are invited, register, or come by an identity provider.

select app_private.reset_access('app_private.user_secrets');

select app_private.reset_access('app_private.sessions');

select app_private.reset_access('app_private.authenticators');

select app_private.reset_access('app_private.recovery_codes');

select app_private.reset_access('app_private.login_challenges');

select app_private.reset_access('app_private.account_mails');

select app_private.reset_access('app_public.team_members');

create policy select_staff on app_public.team_members for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.team_members to atum_agent;

--! split: 2026-policies-26-api-tokens.sql
select app_private.reset_access('app_public.api_tokens');

-- Everybody sees the own ones.
create policy select_own on app_public.api_tokens for select to atum_customer, atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and user_id = (select app_hidden.current_user_id())
  );

create policy select_admin on app_public.api_tokens for select to atum_admin
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.api_tokens to atum_customer, atum_agent;
-- NOTE: made and revoked by functions.

select app_private.reset_access('app_private.api_token_secrets');

--! split: 2030-policies-30-tickets.sql
select app_private.reset_access('app_public.tickets');

-- Customers see the tickets they requested, and those of their company where its people share them.
create policy select_requester on app_public.tickets for select to atum_customer
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      requester_id = (select app_hidden.current_user_id())
      or company_id = (select app_hidden.shared_company_id())
    )
  );

-- Customers open tickets for themselves, in their own name, through the portal.
create policy insert_requester on app_public.tickets for insert to atum_customer
  with check (
    organization_id = (select app_hidden.current_organization_id())
    and requester_id = (select app_hidden.current_user_id())
    and created_by_id = (select app_hidden.current_user_id())
    and channel = 'portal'
  );

-- Staff see every ticket; an agent who is restricted sees those of the own teams, and the own ones.
create policy select_staff on app_public.tickets for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or team_id = any ((select app_hidden.current_team_ids())::uuid[])
      or assignee_id = (select app_hidden.current_user_id())
      or requester_id = (select app_hidden.current_user_id())
    )
  );

-- Staff open tickets for anybody in the organization, in their own name.
create policy insert_staff on app_public.tickets for insert to atum_agent
  with check (
    organization_id = (select app_hidden.current_organization_id())
    and created_by_id = (select app_hidden.current_user_id())
  );

-- NOTE: a restricted agent hands a ticket to another team only by keeping it assigned, because what is written must
-- be seen by whoever writes it.
create policy update_staff on app_public.tickets for update to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or team_id = any ((select app_hidden.current_team_ids())::uuid[])
      or assignee_id = (select app_hidden.current_user_id())
      or requester_id = (select app_hidden.current_user_id())
    )
  )
  with check (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.tickets to atum_customer, atum_agent;
grant insert (organization_id, subject, priority, channel, service_id, requester_id, created_by_id, client_mutation_key)
  on app_public.tickets to atum_customer, atum_agent;
grant update (subject, status, priority, service_id, team_id, assignee_id) on app_public.tickets to atum_agent;
-- NOTE: delete is granted to nobody; a ticket is evidence.

select app_private.reset_access('app_public.ticket_events');

-- Customers see what happened in public to the tickets they see.
create policy select_requester on app_public.ticket_events for select to atum_customer
  using (
    organization_id = (select app_hidden.current_organization_id())
    and visibility = 'public'
    and exists (
      select
      from app_public.tickets as ticket
      where ticket.organization_id = ticket_events.organization_id and ticket.id = ticket_events.ticket_id
    )
  );

create policy select_staff on app_public.ticket_events for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or exists (
        select
        from app_public.tickets as ticket
        where ticket.organization_id = ticket_events.organization_id and ticket.id = ticket_events.ticket_id
      )
    )
  );

-- NOTE: only triggers write events.
grant select on app_public.ticket_events to atum_customer, atum_agent;

--! split: 2032-policies-32-comments.sql
select app_private.reset_access('app_public.comments');

-- Customers read what was said in public on the tickets they see.
create policy select_requester on app_public.comments for select to atum_customer
  using (
    organization_id = (select app_hidden.current_organization_id())
    and visibility = 'public'
    and exists (
      select
      from app_public.tickets as ticket
      where ticket.organization_id = comments.organization_id and ticket.id = comments.ticket_id
    )
  );

-- Customers speak in public, in their own name, on the tickets they see.
create policy insert_requester on app_public.comments for insert to atum_customer
  with check (
    organization_id = (select app_hidden.current_organization_id())
    and author_id = (select app_hidden.current_user_id())
    and visibility = 'public'
    and exists (
      select
      from app_public.tickets as ticket
      where ticket.organization_id = comments.organization_id and ticket.id = comments.ticket_id
    )
  );

create policy select_staff on app_public.comments for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or exists (
        select
        from app_public.tickets as ticket
        where ticket.organization_id = comments.organization_id and ticket.id = comments.ticket_id
      )
    )
  );

-- Staff speak in their own name, on the tickets they see.
create policy insert_staff on app_public.comments for insert to atum_agent
  with check (
    organization_id = (select app_hidden.current_organization_id())
    and author_id = (select app_hidden.current_user_id())
    and (
      (select app_hidden.sees_every_team())
      or exists (
        select
        from app_public.tickets as ticket
        where ticket.organization_id = comments.organization_id and ticket.id = comments.ticket_id
      )
    )
  );

grant select on app_public.comments to atum_customer, atum_agent;
grant insert (organization_id, ticket_id, author_id, visibility, body, client_mutation_key)
  on app_public.comments to atum_customer, atum_agent;
-- NOTE: update and delete are granted to nobody; what was said stays said.

--! split: 2040-policies-40-sla.sql
select app_private.reset_access('app_public.sla_calendars');

create policy select_staff on app_public.sla_calendars for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.sla_calendars to atum_agent;

select app_private.reset_access('app_public.sla_holidays');

create policy select_staff on app_public.sla_holidays for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.sla_holidays to atum_agent;

select app_private.reset_access('app_public.sla_policies');

create policy select_staff on app_public.sla_policies for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.sla_policies to atum_agent;

select app_private.reset_access('app_public.sla_targets');

create policy select_staff on app_public.sla_targets for select to atum_agent
  using (organization_id = (select app_hidden.current_organization_id()));

grant select on app_public.sla_targets to atum_agent;

select app_private.reset_access('app_public.sla_calculations');

-- Clocks are the organization's own measure; customers are not shown them.
create policy select_staff on app_public.sla_calculations for select to atum_agent
  using (
    organization_id = (select app_hidden.current_organization_id())
    and (
      (select app_hidden.sees_every_team())
      or exists (
        select
        from app_public.tickets as ticket
        where ticket.organization_id = sla_calculations.organization_id and ticket.id = sla_calculations.ticket_id
      )
    )
  );

-- NOTE: only triggers and the worker's functions write clocks.
grant select on app_public.sla_calculations to atum_agent;
