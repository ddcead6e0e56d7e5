//! Keys of providers, put together as their documentation says they look. Nothing here is shared with the rules: a format that is wrong in both
//! places would have to be wrong twice.

use super::random::{ALNUM, BASE32, BASE64, DIGIT, HEX, LOWER_ALNUM, Random, UPPER_ALNUM, URL_SAFE};
use super::wrap::base64;

pub type Make = fn(&mut Random) -> String;

/// The provider and how one of its keys is made.
pub const KEYS: &[(&str, Make)] = &[
    ("AWS access key id", |r| format!("{}{}", r.pick(&["AKIA", "ASIA"]), r.text(BASE32, 16))),
    ("Alibaba Cloud", |r| format!("LTAI{}", r.text(ALNUM, 20))),
    ("DigitalOcean", |r| format!("dop_v1_{}", r.text(HEX, 64))),
    ("Doppler", |r| format!("dp.pt.{}", r.text(ALNUM, 43))),
    ("Heroku", |r| format!("HRKU-AA{}", r.text(URL_SAFE, 58))),
    ("Fly.io", |r| format!("fo1_{}", r.text(URL_SAFE, 43))),
    ("Netlify", |r| format!("nfp_{}", r.text(ALNUM, 36))),
    ("Supabase", |r| format!("sbp_{}", r.text(HEX, 40))),
    ("PlanetScale", |r| format!("pscale_tkn_{}", r.text(URL_SAFE, 43))),
    ("PlanetScale password", |r| format!("pscale_pw_{}", r.text(URL_SAFE, 43))),
    ("Terraform Cloud", |r| format!("{}.atlasv1.{}", r.text(ALNUM, 14), r.text(ALNUM, 67))),
    ("HashiCorp Vault", |r| format!("hvs.{}", r.text(URL_SAFE, 95))),
    ("Pulumi", |r| format!("pul-{}", r.text(HEX, 40))),
    ("Google OAuth", |r| format!("GOCSPX-{}", r.text(URL_SAFE, 28))),
    ("GitHub classic", |r| format!("ghp_{}", r.text(ALNUM, 36))),
    ("GitHub app", |r| format!("ghs_{}", r.text(ALNUM, 36))),
    ("GitHub OAuth", |r| format!("gho_{}", r.text(ALNUM, 36))),
    ("GitHub fine-grained", |r| format!("github_pat_{}_{}", r.text(ALNUM, 22), r.text(ALNUM, 59))),
    ("GitLab personal", |r| format!("glpat-{}", r.text(URL_SAFE, 20))),
    ("GitLab trigger", |r| format!("glptt-{}", r.text(HEX, 40))),
    ("GitLab runner", |r| format!("glrt-{}", r.text(URL_SAFE, 20))),
    ("Atlassian", |r| format!("ATATT3xFfGF0{}={}", r.text(URL_SAFE, 180), r.text("0123456789ABCDEF", 8))),
    ("npm", |r| format!("npm_{}", r.text(ALNUM, 36))),
    ("PyPI", |r| format!("pypi-AgEIcHlwaS5vcmc{}", r.text(URL_SAFE, 160))),
    ("RubyGems", |r| format!("rubygems_{}", r.text(HEX, 48))),
    ("Docker Hub", |r| format!("dckr_pat_{}", r.text(URL_SAFE, 27))),
    ("JFrog", |r| format!("AKCp{}", r.text(ALNUM, 69))),
    ("NuGet", |r| format!("oy2{}", r.text(LOWER_ALNUM, 43))),
    ("CircleCI", |r| format!("CCIPAT_{}_{}", r.text(ALNUM, 22), r.text(HEX, 40))),
    ("SonarQube", |r| format!("squ_{}", r.text(HEX, 40))),
    ("Stripe secret", |r| format!("sk_live_{}", r.text(ALNUM, 99))),
    ("Stripe short", |r| format!("sk_live_{}", r.text(ALNUM, 24))),
    ("Stripe restricted", |r| format!("rk_live_{}", r.text(ALNUM, 24))),
    ("Stripe webhook", |r| format!("whsec_{}", r.text(ALNUM, 32))),
    ("Square", |r| format!("EAAA{}", r.text(URL_SAFE, 60))),
    ("Square OAuth secret", |r| format!("sq0csp-{}", r.text(URL_SAFE, 43))),
    ("Shopify admin", |r| format!("shpat_{}", r.text(HEX, 32))),
    ("Shopify shared", |r| format!("shpss_{}", r.text(HEX, 32))),
    ("Braintree", |r| format!("access_token$production${}${}", r.text(LOWER_ALNUM, 16), r.text(HEX, 32))),
    ("Plaid", |r| format!("access-production-{}", r.uuid())),
    ("Razorpay", |r| format!("rzp_live_{}", r.text(ALNUM, 14))),
    ("Flutterwave", |r| format!("FLWSECK-{}-X", r.text(HEX, 32))),
    ("EasyPost", |r| format!("EZAK{}", r.text(ALNUM, 54))),
    ("SendGrid", |r| format!("SG.{}.{}", r.text(URL_SAFE, 22), r.text(URL_SAFE, 43))),
    ("Brevo", |r| format!("xkeysib-{}-{}", r.text(HEX, 64), r.text(ALNUM, 16))),
    ("Resend", |r| format!("re_{}_{}", r.text(ALNUM, 8), r.text(ALNUM, 24))),
    ("Mailgun", |r| format!("mailgun key-{}", r.text(HEX, 32))),
    ("Mailchimp", |r| format!("{}-us{}", r.text(HEX, 32), 1 + r.below(20))),
    ("Slack bot", |r| format!("xoxb-{}-{}-{}", r.text("123456789", 12), r.text("123456789", 13), r.text(ALNUM, 24))),
    ("Slack user", |r| {
        format!(
            "xoxp-{}-{}-{}-{}",
            r.text("123456789", 12),
            r.text("123456789", 12),
            r.text("123456789", 12),
            r.text(HEX, 32)
        )
    }),
    ("Slack app", |r| format!("xapp-1-A{}-{}-{}", r.text(UPPER_ALNUM, 10), r.text("123456789", 13), r.text(HEX, 64))),
    ("Slack webhook", |r| {
        format!(
            "https://hooks.slack.com/services/T{}/B{}/{}",
            r.text(UPPER_ALNUM, 10),
            r.text(UPPER_ALNUM, 10),
            r.text(ALNUM, 24)
        )
    }),
    ("Discord webhook", |r| {
        format!("https://discord.com/api/webhooks/{}/{}", r.text("123456789", 18), r.text(URL_SAFE, 68))
    }),
    ("Telegram", |r| format!("{}:AA{}", r.text("123456789", 10), r.text(URL_SAFE, 33))),
    ("Twilio key", |r| format!("SK{}", r.text(HEX, 32))),
    ("Facebook", |r| format!("EAAC{}", r.text(ALNUM, 120))),
    ("OpenAI", |r| format!("sk-{}T3BlbkFJ{}", r.text(ALNUM, 20), r.text(ALNUM, 20))),
    ("OpenAI project", |r| format!("sk-proj-{}T3BlbkFJ{}", r.text(URL_SAFE, 74), r.text(URL_SAFE, 74))),
    ("Anthropic", |r| format!("sk-ant-api03-{}AA", r.text(URL_SAFE, 93))),
    ("Hugging Face", |r| format!("hf_{}", r.text(ALNUM, 34))),
    ("Replicate", |r| format!("r8_{}", r.text(ALNUM, 37))),
    ("Groq", |r| format!("gsk_{}", r.text(ALNUM, 52))),
    ("Perplexity", |r| format!("pplx-{}", r.text(ALNUM, 48))),
    ("New Relic", |r| format!("NRAK-{}", r.text(UPPER_ALNUM, 27))),
    ("Grafana service account", |r| format!("glsa_{}_{}", r.text(ALNUM, 32), r.text(HEX, 8))),
    ("Grafana Cloud", |r| format!("glc_{}", r.text(BASE64, 120))),
    ("Sentry user", |r| format!("sntryu_{}", r.text(HEX, 64))),
    ("Dynatrace", |r| format!("dt0c01.{}.{}", r.text(BASE32, 24), r.text(BASE32, 64))),
    ("Databricks", |r| format!("dapi{}", r.text(HEX, 32))),
    ("Prefect", |r| format!("pnu_{}", r.text(LOWER_ALNUM, 36))),
    ("Airtable", |r| format!("pat{}.{}", r.text(ALNUM, 14), r.text(HEX, 64))),
    ("Notion", |r| format!("ntn_{}{}", r.text(DIGIT, 11), r.text(ALNUM, 35))),
    ("Typeform", |r| format!("tfp_{}", r.text(URL_SAFE, 59))),
    ("HubSpot", |r| format!("pat-na1-{}", r.uuid())),
    ("Figma", |r| format!("figd_{}", r.text(URL_SAFE, 40))),
    ("Linear", |r| format!("lin_api_{}", r.text(ALNUM, 40))),
    ("Postman", |r| format!("PMAK-{}-{}", r.text(HEX, 24), r.text(HEX, 34))),
    ("ReadMe", |r| format!("rdme_{}", r.text(LOWER_ALNUM, 70))),
    ("Duffel", |r| format!("duffel_live_{}", r.text(URL_SAFE, 43))),
    ("Shippo", |r| format!("shippo_live_{}", r.text(HEX, 40))),
    ("Frame.io", |r| format!("fio-u-{}", r.text(URL_SAFE, 64))),
    ("Tailscale", |r| format!("tskey-auth-{}-{}", r.text(ALNUM, 17), r.text(ALNUM, 32))),
    ("Azure storage", |r| {
        format!("DefaultEndpointsProtocol=https;AccountName=shop;AccountKey={}==", r.text(BASE64, 86))
    }),
    ("age", |r| format!("AGE-SECRET-KEY-1{}", r.text("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58))),
    ("PostgreSQL URL", |r| {
        format!("postgresql://shop:{}@db-{}.acme.io:5432/shop", r.text(ALNUM, 18), r.text(LOWER_ALNUM, 5))
    }),
    ("MongoDB URL", |r| {
        format!("mongodb+srv://shop:{}@cluster0.{}.mongodb.net/shop", r.text(ALNUM, 16), r.text(LOWER_ALNUM, 5))
    }),
    ("Redis URL", |r| format!("rediss://default:{}@eu1-{}.upstash.io:6379", r.text(ALNUM, 32), r.text(LOWER_ALNUM, 6))),
    ("AMQP URL", |r| {
        format!(
            "amqps://shop:{}@{}.rmq.cloudamqp.com/shop",
            r.text(URL_SAFE, 32),
            r.pick(&["hawk", "rat", "kebnekaise"])
        )
    }),
    ("JSON Web Token", |r| {
        let payload = format!("{{\"sub\":\"{}\",\"role\":\"service_role\",\"iat\":17{}}}", r.uuid(), r.text(DIGIT, 8));
        format!(
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.{}.{}",
            base64(payload.as_bytes()).trim_end_matches('='),
            r.text(URL_SAFE, 43)
        )
    }),
    ("Adobe", |r| format!("p8e-{}", r.text(LOWER_ALNUM, 32))),
    ("Asana", |r| format!("1/{}:{}", r.text("123456789", 16), r.text(HEX, 32))),
    ("Clojars", |r| format!("CLOJARS_{}", r.text(LOWER_ALNUM, 60))),
    ("Dropbox", |r| format!("sl.{}", r.text(URL_SAFE, 140))),
    ("Harness", |r| format!("pat.{}.{}.{}", r.text(URL_SAFE, 22), r.text(HEX, 24), r.text(ALNUM, 20))),
    ("OpenShift", |r| format!("sha256~{}", r.text(URL_SAFE, 43))),
    ("Scalingo", |r| format!("tk-us-{}", r.text(URL_SAFE, 48))),
    ("Sourcegraph", |r| format!("sgp_{}_{}", r.text(HEX, 16), r.text(HEX, 40))),
    ("Settlemint", |r| format!("sm_pat_{}", r.text(ALNUM, 16))),
    ("Octopus Deploy", |r| format!("API-{}", r.text(UPPER_ALNUM, 26))),
    ("Microsoft Teams", |r| {
        format!(
            "https://acme.webhook.office.com/webhookb2/{}@{}/IncomingWebhook/{}/{}",
            r.uuid(),
            r.uuid(),
            r.text(HEX, 32),
            r.uuid()
        )
    }),
    ("Private key", |r| format!("-----BEGIN PRIVATE KEY-----\\n{}\\n-----END PRIVATE KEY-----", r.text(BASE64, 128))),
    ("Vault batch", |r| format!("hvb.{}", r.text(URL_SAFE, 140))),
    ("Artifactory reference", |r| format!("cmVmdGtu{}", r.text(ALNUM, 56))),
    ("Yandex", |r| format!("AQVN{}", r.text(URL_SAFE, 36))),
    ("Tencent", |r| format!("AKID{}", r.text(ALNUM, 32))),
    ("Scaleway", |r| format!("SCW{}", r.text(UPPER_ALNUM, 17))),
    ("Infracost", |r| format!("ico-{}", r.text(ALNUM, 32))),
    ("Intra42", |r| format!("s-s4t2ud-{}", r.text(HEX, 64))),
    ("Cloudflare origin", |r| format!("v1.0-{}-{}", r.text(HEX, 24), r.text(HEX, 146))),
    ("Defined Networking", |r| format!("dnkey-{}-{}", r.text(URL_SAFE, 26), r.text(URL_SAFE, 52))),
];

/// Values that only their name shows to be secret.
pub const NAMED: &[(&str, Make)] = &[
    ("password", |r| r.text(&format!("{ALNUM}!%^*"), 18)),
    ("api_key", |r| r.text(HEX, 32)),
    ("client_secret", |r| r.text(URL_SAFE, 40)),
    ("jwt_secret", |r| r.text(HEX, 64)),
    ("access_token", |r| r.text(ALNUM, 40)),
    ("encryption_key", |r| format!("{}=", r.text(BASE64, 43))),
    ("aws_secret_access_key", |r| r.text(BASE64, 40)),
    ("webhook_secret", |r| r.text(ALNUM, 32)),
];
