-- The demo story of Globex Billing Services: what its people asked and were told, oldest first. demo.sql, which runs last in the
-- same transaction, explains the shape and plays it back.

create temporary table if not exists demo_stories (
  organization_slug text not null,
  story jsonb not null
) on commit drop;

insert into demo_stories (organization_slug, story) values ('globex', $story$
[
  {
    "requester": "tunde.okafor@harborfinch.example",
    "service": "Invoicing",
    "team": "Billing Operations",
    "assignee": null,
    "priority": "normal",
    "subject": "Invoice totals off by one cent after the rounding change",
    "channel": "portal",
    "age": "42 days 4 hours 20 minutes",
    "body": "Hi Globex,\n\nsince your last release, some of our wholesale invoices are off by exactly one cent. Example: INV-18877 has three lines with tax of 1.335 each. It used to say 4.01 tax in total, now it says 4.02. Our café customers pay 4.01 because that's what their system expects, and then I have a cent open on forty invoices.\n\nA cent isn't much, but forty reminders are.",
    "steps": [
      {
        "after": "55 minutes",
        "by": "hannah.cho@globex.example",
        "say": "Hi Tunde,\n\nunderstood, and a cent that has to be chased forty times is expensive. Release 24.3 changed tax rounding from \"per invoice\" to \"per line\". Let me check why your account was included, existing accounts were supposed to keep their setting.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "hannah.cho@globex.example"
        }
      },
      {
        "after": "3 hours 15 minutes",
        "by": "hannah.cho@globex.example",
        "say": "The migration set rounding_mode = 'line' where it was null. 412 accounts never touched the setting and were null. Harbor & Finch is one of them. Needs a backfill from the audit log, engineering is on it.",
        "visibility": "internal"
      },
      {
        "after": "1 day 2 hours",
        "by": "hannah.cho@globex.example",
        "say": "Your account is back on rounding per invoice. The release had filled an empty setting with the new default, which hit accounts that never chose one. We reissued the 43 affected invoices with the correct totals and wrote off the open cents, so no reminders will go out. INV-18877 is at 4.01 again. If you ever want rounding per line, it's under Settings > Taxes > Rounding.",
        "visibility": "public",
        "set": {
          "status": "resolved"
        }
      },
      {
        "after": "6 days",
        "by": "hannah.cho@globex.example",
        "set": {
          "status": "closed"
        }
      }
    ]
  },
  {
    "requester": "tunde.okafor@harborfinch.example",
    "service": "Payments and refunds",
    "team": "Customer Support",
    "assignee": null,
    "priority": "high",
    "subject": "Our customer was charged twice for the same invoice",
    "channel": "portal",
    "age": "36 days 2 hours 55 minutes",
    "body": "One of our cafés (Blue Door, customer 3318) paid invoice INV-18990 over $864.50 by card, and their bank shows two charges of $864.50 three seconds apart. In our dashboard I see only one payment. They are understandably not amused and want the money back today.",
    "steps": [
      {
        "after": "13 minutes",
        "by": "agent@globex.example",
        "say": "Hi Tunde, I'm sorry, let's sort this out right away. I see one payment, pay_7Kq2, on our side as well. I'm asking the card processor what the second one is. Please don't refund pay_7Kq2 yet, otherwise we may end up refunding the right one.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "agent@globex.example"
        }
      },
      {
        "after": "1 hour 25 minutes",
        "by": "agent@globex.example",
        "say": "The processor has two authorizations, same amount, references 8841203 and 8841204. First request timed out at 30 s on our side, our client retried with a NEW idempotency key, so the processor treated it as a second payment. We only stored the second.",
        "visibility": "internal",
        "set": {
          "team": "Billing Operations",
          "assignee": "hannah.cho@globex.example"
        }
      },
      {
        "after": "2 hours 10 minutes",
        "by": "hannah.cho@globex.example",
        "say": "Retry code fixed by engineering: the key is generated once per payment attempt and kept through retries. Eleven other orphaned authorizations found in the window, all reversed.",
        "visibility": "internal"
      },
      {
        "after": "30 minutes",
        "by": "hannah.cho@globex.example",
        "say": "The second charge (processor reference 8841203) is reversed; Blue Door will see it disappear within one to three business days, depending on their bank. What happened: the first attempt timed out on our side although the bank had accepted it, and our automatic retry was treated as a new payment. Retries now carry the same reference, so the processor recognizes and ignores them. I've e-mailed you a letter that you can forward to Blue Door.",
        "visibility": "public",
        "set": {
          "status": "resolved"
        }
      },
      {
        "after": "5 days 4 hours",
        "by": "agent@globex.example",
        "set": {
          "status": "closed"
        }
      }
    ]
  },
  {
    "requester": "tunde.okafor@harborfinch.example",
    "service": "Sign-in and SSO",
    "team": "Customer Support",
    "assignee": null,
    "priority": "high",
    "subject": "SSO loop: identity provider sends us straight back to the login page",
    "channel": "mail",
    "age": "31 days 5 hours 25 minutes",
    "body": "Hi, nobody at Harbor & Finch can get in. We click \"Sign in with SSO\", Okta says yes, the browser comes back to app.globex.example and lands on the login page again. Click again, same round trip. No error message at all. It worked yesterday.",
    "steps": [
      {
        "after": "10 minutes",
        "by": "agent@globex.example",
        "say": "Hi Tunde, I see your sign-ins arriving and being turned away with \"assertion rejected\". So you aren't locked out while we look: I've sent a one-time sign-in link to you as the account owner, valid for 15 minutes.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "agent@globex.example"
        }
      },
      {
        "after": "26 minutes",
        "by": "agent@globex.example",
        "say": "From the SAML log, for Diego:\n\n    assertion rejected: NotOnOrAfter condition failed\n    issue_instant is 94 s in the future, allowed skew 60 s (tenant=harborfinch, idp=okta)\n\nOther tenants with Okta are fine. Our clock on app-03 drifts? app-01 and app-02 accept them.",
        "visibility": "internal",
        "set": {
          "team": "Integrations",
          "assignee": "diego.santos@globex.example"
        }
      },
      {
        "after": "55 minutes",
        "by": "diego.santos@globex.example",
        "say": "app-03 lost its time source after the network change, it's 94 s behind. Chrony restarted, the node took itself back in. The load balancer keeps tenants sticky by hash, that's why only some customers were hit.",
        "visibility": "internal"
      },
      {
        "after": "12 minutes",
        "by": "diego.santos@globex.example",
        "say": "Hi Tunde, sign-in works again, please try. One of our three servers had lost its time source and was 94 seconds slow, so it considered the assertions from Okta as coming from the future and rejected them. The clock is corrected, the time source is monitored from now on, and a rejected assertion shows a reason on the login page instead of just looping.",
        "visibility": "public",
        "set": {
          "status": "resolved"
        }
      },
      {
        "after": "4 days 22 hours",
        "by": "agent@globex.example",
        "set": {
          "status": "closed"
        }
      }
    ]
  },
  {
    "requester": "customer@globex.example",
    "service": "API and webhooks",
    "team": "Integrations",
    "assignee": null,
    "priority": "normal",
    "subject": "Webhook deliveries fail with 401 after rotating the secret",
    "channel": "portal",
    "age": "28 days 3 hours 15 minutes",
    "body": "We rotated the webhook signing secret in the dashboard as our security policy requires. Since then our endpoint answers 401 to every delivery because the signature doesn't match. The new secret is deployed on our side, I triple-checked for stray whitespace.",
    "steps": [
      {
        "after": "45 minutes",
        "by": "diego.santos@globex.example",
        "say": "Hi Daniel, could you send me the id of one failed delivery, and tell me whether you verify with the secret as shown or base64-decoded? Newer secrets start with \"whsec_\" and the part after it has to be decoded first. The old ones were plain text.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "diego.santos@globex.example"
        }
      },
      {
        "after": "1 hour 30 minutes",
        "by": "customer@globex.example",
        "say": "msg_2KWPBgLlAf. And there we have it: the old secret was a plain string, we use it as shown. Our library is home-grown.",
        "visibility": "public"
      },
      {
        "after": "35 minutes",
        "by": "diego.santos@globex.example",
        "say": "Then that's the cause: strip the prefix \"whsec_\", base64-decode the rest and use the bytes as the HMAC key. In Python:\n\n    key = base64.b64decode(secret.removeprefix(\"whsec_\"))\n    expected = base64.b64encode(hmac.new(key, f\"{msg_id}.{timestamp}.{body}\".encode(), hashlib.sha256).digest())\n\nI replayed msg_2KWPBgLlAf after your change and it was accepted with 204. All 96 failed deliveries were replayed in order; none is lost. The documentation now shows the two formats side by side.",
        "visibility": "public",
        "set": {
          "status": "resolved"
        }
      },
      {
        "after": "5 days 20 hours",
        "by": "diego.santos@globex.example",
        "set": {
          "status": "closed"
        }
      }
    ]
  },
  {
    "requester": "lucia.fernandez@solmarina.example",
    "service": "Payments and refunds",
    "team": "Customer Support",
    "assignee": null,
    "priority": "normal",
    "subject": "Reembolso parcial no aplicado a la factura",
    "channel": "portal",
    "age": "24 days 6 hours 40 minutes",
    "body": "Hola:\n\nHicimos un reembolso parcial de 85,00 € a un huésped por una noche cancelada (factura SM-1877, total 340,00 €). El huésped ha recibido el dinero, pero la factura sigue apareciendo como pagada por 340,00 € y el informe de ingresos no descuenta el reembolso.\n\n¿Qué tenemos que hacer para que cuadre?",
    "steps": [
      {
        "after": "2 hours 25 minutes",
        "by": "diego.santos@globex.example",
        "say": "Hola, Lucía:\n\nEl reembolso rf_1877-1 se hizo directamente desde el pago y no desde la factura, por eso no se creó ninguna factura rectificativa y el informe no lo tiene en cuenta. ¿Quiere que la genere yo por 85,00 € con el concepto \"noche cancelada\"?",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "diego.santos@globex.example"
        }
      },
      {
        "after": "19 hours",
        "by": "lucia.fernandez@solmarina.example",
        "say": "Sí, por favor, con ese concepto y con la fecha del reembolso. ¡Gracias!",
        "visibility": "public"
      },
      {
        "after": "1 hour 30 minutes",
        "by": "diego.santos@globex.example",
        "say": "Hecho: la rectificativa SM-R-0112 por 85,00 € está vinculada al reembolso rf_1877-1 y a la factura SM-1877, que ahora muestra un neto de 255,00 €. El informe de ingresos ya coincide. Para la próxima vez: use \"Reembolsar\" dentro de la factura y el sistema creará la rectificativa automáticamente.",
        "visibility": "public",
        "set": {
          "status": "resolved"
        }
      },
      {
        "after": "6 days 3 hours",
        "by": "diego.santos@globex.example",
        "set": {
          "status": "closed"
        }
      }
    ]
  },
  {
    "requester": "tunde.okafor@harborfinch.example",
    "service": "Invoicing",
    "team": "Billing Operations",
    "assignee": null,
    "priority": "normal",
    "subject": "Separate invoice number ranges for each café location",
    "channel": "portal",
    "age": "21 days 4 hours 30 minutes",
    "body": "We're opening a third location and our accountant would like separate number ranges: HF-BK-0001 for Brooklyn, HF-NJ-0001 for Newark, HF-PH-0001 for Philadelphia. At the moment there's only one prefix for the whole account. Is that possible, or planned?",
    "steps": [
      {
        "after": "5 hours 20 minutes",
        "by": "hannah.cho@globex.example",
        "say": "Hi Tunde, congratulations on Philadelphia! Today there's one sequence per account. Number ranges by location are on the plan and partly built, so let me find out when they arrive before I suggest something clumsy.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "hannah.cho@globex.example",
          "priority": "low"
        }
      },
      {
        "after": "2 days 2 hours",
        "by": "hannah.cho@globex.example",
        "say": "Product: \"Numbering by location\" ships with 24.6, behind a switch. They'd like two or three friendly accounts for a trial. Harbor & Finch would be ideal, three locations and a good sense of humor.",
        "visibility": "internal"
      },
      {
        "after": "1 hour 30 minutes",
        "by": "hannah.cho@globex.example",
        "say": "Number ranges by location come with release 24.6 in about six weeks, and you could try them two weeks earlier if you like. Existing numbers stay as they are; each location starts its own range at a number you choose. I put this on hold and will be back with a date for the trial.",
        "visibility": "public",
        "set": {
          "status": "on_hold"
        }
      },
      {
        "after": "1 day 4 hours",
        "by": "manager@globex.example",
        "say": "Put on the trial list as number one. Hannah owns the contact.",
        "visibility": "internal"
      }
    ]
  },
  {
    "requester": "tunde.okafor@harborfinch.example",
    "service": "Reports and exports",
    "team": "Customer Support",
    "assignee": null,
    "priority": "normal",
    "subject": "CSV export turns \"Café\" into \"CafÃ©\" in Excel",
    "channel": "portal",
    "age": "17 days 4 hours 45 minutes",
    "body": "Half of our customers are called \"Café something\" and in the customer export they all become \"CafÃ©\" when I open the CSV in Excel. In a text editor it looks right. My bookkeeper copies them by hand.",
    "steps": [
      {
        "after": "40 minutes",
        "by": "agent@globex.example",
        "say": "Hi Tunde, poor bookkeeper! The file is UTF-8, and Excel assumes an older encoding unless the file starts with a special marker. Quick way for today: in Excel use Data > From Text/CSV and choose \"65001: Unicode (UTF-8)\". I'm checking why our export leaves the marker out.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "agent@globex.example"
        }
      },
      {
        "after": "3 hours 30 minutes",
        "by": "agent@globex.example",
        "say": "The export option \"Excel compatible (adds BOM)\" exists since 24.2 but is off by default and hidden under Advanced. Suggested to product: on by default for downloads from the browser, off for the API.",
        "visibility": "internal"
      },
      {
        "after": "55 minutes",
        "by": "agent@globex.example",
        "say": "There's a setting for exactly this, just well hidden: Exports > Advanced > \"Excel compatible\". I switched it on for your account and exported your customer list: \"Café\" stays \"Café\" with a double-click. Product agreed to make it the default for everyone who downloads from the browser.",
        "visibility": "public",
        "set": {
          "status": "resolved"
        }
      },
      {
        "after": "6 days 1 hour",
        "by": "agent@globex.example",
        "set": {
          "status": "closed"
        }
      }
    ]
  },
  {
    "requester": "customer@globex.example",
    "service": "Taxes and compliance",
    "team": "Billing Operations",
    "assignee": null,
    "priority": "normal",
    "subject": "Tax exemption certificate ignored for one of our stores",
    "channel": "portal",
    "age": "14 days 5 hours 45 minutes",
    "body": "We sell to a school district that is tax exempt. The certificate is uploaded and shows \"Valid\" on the customer, but invoices from our Riverside store still add tax. From the downtown store the same customer is invoiced without tax.",
    "steps": [
      {
        "after": "1 hour 50 minutes",
        "by": "hannah.cho@globex.example",
        "say": "Hi Daniel, thanks, the comparison of the two stores helps a lot. The exemption is checked by our tax content provider with the store's address. For Riverside they return \"jurisdiction unknown\", and in doubt we charge tax. I'm raising it with the provider.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "hannah.cho@globex.example"
        }
      },
      {
        "after": "1 day 3 hours",
        "by": "hannah.cho@globex.example",
        "say": "Provider case 00981175. Riverside was annexed to the city this year, their boundary data is from last year. Next boundary file is due with their quarterly release. Manual override is possible per invoice, not per store.",
        "visibility": "internal"
      },
      {
        "after": "2 hours 20 minutes",
        "by": "hannah.cho@globex.example",
        "say": "The provider confirmed that the boundary data for Riverside is out of date and will correct it with their next quarterly release. Until then, please choose \"Exempt: override\" in the tax field when you invoice the district from Riverside; reason code 07 keeps your audit trail clean. I've credited the tax on the four invoices so far. This ticket stays on hold until the new data is live, and I'll test your store then.",
        "visibility": "public",
        "set": {
          "status": "on_hold"
        }
      }
    ]
  },
  {
    "requester": "lucia.fernandez@solmarina.example",
    "service": "Reports and exports",
    "team": "Customer Support",
    "assignee": null,
    "priority": "low",
    "subject": "CSV export breaks rows at line breaks in addresses",
    "channel": "portal",
    "age": "11 days 5 hours 10 minutes",
    "body": "When an address has two lines (street, then building), the CSV export makes two rows from one customer and all columns after it are moved. We have about 300 customers like this and import the file into our CRM each Friday.",
    "steps": [
      {
        "after": "1 hour 45 minutes",
        "by": "agent@globex.example",
        "say": "Hello Lucía, inside quotes a line break is allowed in CSV, and our file does quote the address. Some programs don't understand it though. Which CRM is it, and does it offer an option such as \"multi-line fields\"?",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "agent@globex.example"
        }
      },
      {
        "after": "21 hours",
        "by": "lucia.fernandez@solmarina.example",
        "say": "It is an old one made for hotels, there are no options. It simply reads line by line.",
        "visibility": "public"
      },
      {
        "after": "5 hours 20 minutes",
        "by": "agent@globex.example",
        "say": "Then we solve it on our side: in the export profile there's \"Replace line breaks in fields with\", which I've set to a comma and a space for your Friday export. \"Calle Ancha 4\" and \"Edificio B\" become \"Calle Ancha 4, Edificio B\" in one row. I ran the export for you: 2,318 customers, 2,318 rows, plus the header.",
        "visibility": "public",
        "set": {
          "status": "resolved"
        }
      }
    ]
  },
  {
    "requester": "customer@globex.example",
    "service": "Taxes and compliance",
    "team": "Customer Support",
    "assignee": null,
    "priority": "high",
    "subject": "Invoice total wrong after sales tax rate change",
    "channel": "portal",
    "age": "10 days 3 hours 35 minutes",
    "body": "Our county went from 7.75% to 8.00% sales tax. I updated the rate in Settings > Taxes the day before. One-off invoices are right, but all recurring invoices generated since then still calculate 7.75%, e.g. INV-20114: subtotal $2,480.00, tax $192.20, should be $198.40.\n\nThat's 61 invoices. We have to remit the full 8%, so the difference comes out of our pocket.",
    "steps": [
      {
        "after": "22 minutes",
        "by": "agent@globex.example",
        "say": "Hi Daniel, thanks for giving us the invoice with the numbers. I can confirm INV-20114 used the old rate. I'm bringing in Billing Operations because it touches the recurring templates.\n\nPlease don't void anything yet. We can correct the invoices in bulk with proper credit notes.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "agent@globex.example"
        }
      },
      {
        "after": "18 minutes",
        "by": "agent@globex.example",
        "say": "Recurring templates keep a copy of the rate from when they were created (tax_rate_snapshot). Editing the rate doesn't refresh them. The manual says it does.",
        "visibility": "internal",
        "set": {
          "team": "Billing Operations",
          "assignee": "hannah.cho@globex.example"
        }
      },
      {
        "after": "4 hours 40 minutes",
        "by": "hannah.cho@globex.example",
        "say": "Daniel, we found the cause: recurring templates remember the tax rate from the day they were created and didn't pick up your change. I've refreshed all 61 templates. May I credit and reissue the 61 invoices at 8.00%? Your customers would get one email each with the corrected PDF.",
        "visibility": "public"
      },
      {
        "after": "1 hour 10 minutes",
        "by": "customer@globex.example",
        "say": "Yes, go ahead. Please use the text \"corrected county sales tax\" so they don't call me.",
        "visibility": "public"
      },
      {
        "after": "5 hours 25 minutes",
        "by": "hannah.cho@globex.example",
        "say": "All 61 invoices are credited and reissued at 8.00% with your wording, total difference $388.11. INV-20114 became INV-20290 with $198.40 tax. Your recurring templates now follow the rate in Settings, and since yesterday's release changing a rate asks whether existing templates should be refreshed.",
        "visibility": "public",
        "set": {
          "status": "resolved"
        }
      }
    ]
  },
  {
    "requester": "lucia.fernandez@solmarina.example",
    "service": "Invoicing",
    "team": "Customer Support",
    "assignee": null,
    "priority": "low",
    "subject": "PDF invoices still show our old logo",
    "channel": "portal",
    "age": "9 days 6 hours 15 minutes",
    "body": "We uploaded our new logo under Settings > Branding. The payment page shows the new one, the PDF invoices have the old one. New invoices too, not only old ones.",
    "steps": [
      {
        "after": "3 hours 10 minutes",
        "by": "agent@globex.example",
        "say": "Hello Lucía, the new logo is an SVG file, and our PDF generator can only use PNG or JPEG; when it can't read the new one it quietly keeps the old one. Could you upload it once more as PNG, at least 600 pixels wide, with a transparent background?",
        "visibility": "public",
        "set": {
          "status": "pending",
          "assignee": "agent@globex.example"
        }
      },
      {
        "after": "1 day 2 hours",
        "by": "lucia.fernandez@solmarina.example",
        "say": "Uploaded as PNG, 1200 pixels. Invoice SM-2019 has the new logo now. Very nice! Can the older invoices be changed too?",
        "visibility": "public"
      },
      {
        "after": "2 hours 45 minutes",
        "by": "agent@globex.example",
        "say": "It looks good on SM-2019. Invoices that have already been sent keep the look they were sent with, for legal reasons a PDF doesn't change after the fact. When you download a copy of an old invoice you can tick \"Use current branding\", it is then marked as a copy. And uploading an SVG is refused with an explanation from the next release on.",
        "visibility": "public",
        "set": {
          "status": "resolved"
        }
      }
    ]
  },
  {
    "requester": "lucia.fernandez@solmarina.example",
    "service": "Sign-in and SSO",
    "team": "Customer Support",
    "assignee": null,
    "priority": "high",
    "subject": "Password reset emails go to a former employee",
    "channel": "mail",
    "age": "7 days 4 hours 5 minutes",
    "body": "Hello,\n\nour user \"reservas\" is shared by the front desk. When somebody asks for a password reset, the e-mail goes to a colleague who left the company in spring. Nobody can read that mailbox any more, and, more important, I don't want him to be able to reset it.",
    "steps": [
      {
        "after": "27 minutes",
        "by": "agent@globex.example",
        "say": "Hello Lucía,\n\nthank you for reporting this quickly. I've blocked password resets for \"reservas\" and signed out all its sessions, so nothing can happen while we fix it. To change the e-mail of the account I need a confirmation from the account owner. According to our records that is you: could you reply with the new address, please?",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "agent@globex.example"
        }
      },
      {
        "after": "1 hour 40 minutes",
        "by": "lucia.fernandez@solmarina.example",
        "say": "Yes: recepcion@solmarina.example. Please also check if he used it after he left.",
        "visibility": "public"
      },
      {
        "after": "2 hours 50 minutes",
        "by": "agent@globex.example",
        "say": "The address is now recepcion@solmarina.example, and a reset link has been sent there. There was no sign-in and no password reset since the spring other than from your hotel's own network, so nothing was misused. My advice: give each person at the front desk their own user (your plan includes 25) and deactivate \"reservas\"; then a leaver is switched off with one click.",
        "visibility": "public",
        "set": {
          "status": "resolved"
        }
      }
    ]
  },
  {
    "requester": "customer@globex.example",
    "service": "Reports and exports",
    "team": "Billing Operations",
    "assignee": null,
    "priority": "normal",
    "subject": "Aging report total differs from the dashboard by $4,310",
    "channel": "portal",
    "age": "6 days 3 hours 25 minutes",
    "body": "The aging report says $61,842.17 open, the dashboard tile \"Outstanding\" says $57,532.17. Same day, no filters. Our auditors asked which of the two is right and I had no answer.",
    "steps": [
      {
        "after": "2 hours 35 minutes",
        "by": "hannah.cho@globex.example",
        "say": "Hi Daniel, the difference of $4,310.00 is exactly the sum of your unapplied credits (three of them, the largest is $3,900.00 for Fields & Co). The tile subtracts them, the report lists only invoices. Both are right in their own way, which I realize isn't what one wants to tell an auditor.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "hannah.cho@globex.example"
        }
      },
      {
        "after": "1 hour 50 minutes",
        "by": "customer@globex.example",
        "say": "That explains it. Can the report show the credits too? Then there'd be one number.",
        "visibility": "public"
      },
      {
        "after": "1 day 1 hour",
        "by": "hannah.cho@globex.example",
        "say": "It can: in the aging report, switch on \"Include unapplied credits\" and save it as the default view; the total is then $57,532.17 like on the dashboard. I saved that view for your account as \"Aging, net of credits\". For the auditors: the report without the option is gross receivables, with the option it is net, and the three credits are listed at the end.",
        "visibility": "public",
        "set": {
          "status": "resolved"
        }
      }
    ]
  },
  {
    "requester": "lucia.fernandez@solmarina.example",
    "service": "Reports and exports",
    "team": "Customer Support",
    "assignee": null,
    "priority": "normal",
    "subject": "Scheduled revenue report stopped arriving by email",
    "channel": "portal",
    "age": "6 days 1 hour 15 minutes",
    "body": "Every Monday the director receives the revenue report of the five hotels by e-mail. It has not arrived for the last two weeks. In the page \"Scheduled reports\" the status is \"Sent\" with a green mark, so for the system everything is fine.",
    "steps": [
      {
        "after": "4 hours 5 minutes",
        "by": "agent@globex.example",
        "say": "Hello Lucía, \"Sent\" means that our mail server handed it over. Your mail server accepted it as well, but look at the size: with the fifth hotel the PDF has grown to 26 MB. Could it be that your mail provider discards attachments above 25 MB?",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "agent@globex.example"
        }
      },
      {
        "after": "1 day 3 hours",
        "by": "lucia.fernandez@solmarina.example",
        "say": "Our provider says yes: messages above 25 MB are accepted and then deleted without notice. Can the report be smaller, or can we receive a link?",
        "visibility": "public"
      },
      {
        "after": "6 hours 30 minutes",
        "by": "agent@globex.example",
        "say": "A link is possible from the next weekly run: reports above 10 MB will be sent as a link that is valid for 14 days and needs a sign-in. The director has no user yet, as far as I can see. Shall I prepare one with read-only access to reports?",
        "visibility": "public"
      },
      {
        "after": "2 days 5 hours",
        "by": "lucia.fernandez@solmarina.example",
        "say": "Yes, please: Andrés Rivas, direccion@solmarina.example, read-only. Meanwhile I downloaded the two missing reports myself and gave them to him.",
        "visibility": "public"
      }
    ]
  },
  {
    "requester": "customer@globex.example",
    "service": "Payments and refunds",
    "team": "Customer Support",
    "assignee": null,
    "priority": "normal",
    "subject": "Duplicate charge after clicking Pay twice",
    "channel": "portal",
    "age": "5 days 6 hours 30 minutes",
    "body": "A wholesale customer of ours clicked \"Pay now\" on the hosted payment page, nothing seemed to happen, and clicked again. Result: two payments on INV-20377 ($219.00 each), the invoice shows a credit balance of $219.00. She'd like the second one back on her card, not as credit.",
    "steps": [
      {
        "after": "38 minutes",
        "by": "agent@globex.example",
        "say": "Hi Daniel, got it: pay_9Xd1 and pay_9Xd4, eleven seconds apart. May I refund the second one to her card? The credit balance would go back to zero and the invoice stays paid.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "agent@globex.example"
        }
      },
      {
        "after": "1 hour 5 minutes",
        "by": "customer@globex.example",
        "say": "Yes please, refund the second one. And can you make that button stop accepting clicks?",
        "visibility": "public"
      },
      {
        "after": "2 hours 15 minutes",
        "by": "agent@globex.example",
        "say": "pay_9Xd4 ($219.00) is refunded to the card ending 4471, reference rf_20377-2; banks usually show it within five business days. The credit balance is zero and INV-20377 stays paid.\n\nAnd yes: with payment page 3.9, out since this week, the button locks after the first click and shows a spinner. A second payment of the same amount on the same invoice within ten minutes has to be confirmed explicitly.",
        "visibility": "public",
        "set": {
          "status": "resolved"
        }
      }
    ]
  },
  {
    "requester": "lucia.fernandez@solmarina.example",
    "service": "Taxes and compliance",
    "team": "Billing Operations",
    "assignee": null,
    "priority": "normal",
    "subject": "Factura con IVA del 21 % en lugar del 10 % para alojamiento",
    "channel": "mail",
    "age": "5 days 2 hours 10 minutes",
    "body": "Buenos días:\n\nDesde que activamos el nuevo catálogo de servicios, las facturas de alojamiento salen con un IVA del 21 % y debería ser el 10 %. Por ejemplo, la factura SM-2041: base 640,00 €, IVA 134,40 €, cuando lo correcto son 64,00 €. Ya tenemos nueve clientes que piden la rectificación y la declaración trimestral está cerca.\n\n¿Pueden corregirlo y decirnos cómo emitir las facturas rectificativas?\n\nUn saludo,\nLucía Fernández\nHoteles Sol Marina",
    "steps": [
      {
        "after": "1 day 5 hours",
        "by": "lucia.fernandez@solmarina.example",
        "say": "Buenos días de nuevo. ¿Hay alguna novedad? Ya son catorce facturas y los huéspedes llaman a recepción.",
        "visibility": "public"
      },
      {
        "after": "16 hours",
        "by": "manager@globex.example",
        "say": "Sat in the queue for two days because nobody on shift felt sure of their Spanish. Diego, please answer today. Reminder to everyone: answer in English rather than not at all.",
        "visibility": "internal",
        "set": {
          "assignee": "diego.santos@globex.example",
          "priority": "high"
        }
      },
      {
        "after": "50 minutes",
        "by": "diego.santos@globex.example",
        "say": "Buenos días, Lucía:\n\nLe pido disculpas por la demora. El catálogo nuevo asignó a todos los servicios el tipo general. He cambiado la categoría \"Alojamiento\" al tipo reducido del 10 %, de modo que las facturas nuevas ya salen bien. Desayuno y aparcamiento siguen como estaban; por favor, confírmeme qué tipo aplican ustedes a cada uno.\n\nPara las catorce facturas emitidas estoy preparando las rectificativas por diferencias.",
        "visibility": "public",
        "set": {
          "status": "open"
        }
      },
      {
        "after": "20 hours",
        "by": "lucia.fernandez@solmarina.example",
        "say": "Gracias, Diego. El desayuno va al 10 % y el aparcamiento al 21 %. La factura SM-2063 de hoy ya ha salido correcta. Quedamos a la espera de las rectificativas; necesitamos que lleven la serie \"R\".",
        "visibility": "public"
      }
    ]
  },
  {
    "requester": "customer@globex.example",
    "service": "Reports and exports",
    "team": "Billing Operations",
    "assignee": null,
    "priority": "normal",
    "subject": "QuickBooks export out of balance by $312.40",
    "channel": "mail",
    "age": "4 days 4 hours 35 minutes",
    "body": "The monthly journal export to QuickBooks is rejected: \"Transaction is not in balance. Make sure the amounts on the left side equal the amounts on the right side.\" Debits are $312.40 higher than credits. 1,140 lines, I'm not going to find it by eye.",
    "steps": [
      {
        "after": "1 hour 25 minutes",
        "by": "hannah.cho@globex.example",
        "say": "Hi Daniel, let me do the searching. I'm grouping the journal by invoice and looking for the one that doesn't add up to zero.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "hannah.cho@globex.example"
        }
      },
      {
        "after": "3 hours 40 minutes",
        "by": "hannah.cho@globex.example",
        "say": "It's credit note CN-0447: the tax line is mapped to account 2210, which was set inactive in their QuickBooks, so the exporter drops the line silently. It must refuse instead of dropping. Bug filed.",
        "visibility": "internal"
      },
      {
        "after": "20 minutes",
        "by": "hannah.cho@globex.example",
        "say": "Found it: credit note CN-0447, the tax of $312.40. It's mapped to account 2210 \"Sales Tax Payable (old)\", which is inactive in your QuickBooks, so the line was left out. Please tell me which account should take its place. My guess is 2215 \"Sales Tax Payable\", but your accountant should confirm. Then you can run the export again and it will balance.",
        "visibility": "public",
        "set": {
          "status": "pending"
        }
      }
    ]
  },
  {
    "requester": "tunde.okafor@harborfinch.example",
    "service": "API and webhooks",
    "team": "Integrations",
    "assignee": null,
    "priority": "normal",
    "subject": "API answers 429 during our nightly sync",
    "channel": "portal",
    "age": "3 days 5 hours 55 minutes",
    "body": "Our nightly inventory and customer sync has started to fail halfway with 429 Too Many Requests. We read about 9,000 customers, one request each. It has run for a year without trouble.\n\n    GET /v2/customers/8f21 -> 429\n    retry-after: 12\n    x-ratelimit-limit: 600  x-ratelimit-remaining: 0",
    "steps": [
      {
        "after": "1 hour 10 minutes",
        "by": "diego.santos@globex.example",
        "say": "Hi Tunde, the limit of 600 requests a minute isn't new, but your sync got faster: since your host moved, it makes about 40 requests a second. Two things would help: respect the retry-after header, and read lists instead of single customers. GET /v2/customers?updated_since=…&limit=200 gets all your changes in a handful of requests.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "diego.santos@globex.example"
        }
      },
      {
        "after": "17 hours",
        "by": "tunde.okafor@harborfinch.example",
        "say": "Our developer (hi, that's my cousin) changed it to the list call with updated_since. Last night it took 14 requests and 9 seconds. It used to run for forty minutes!",
        "visibility": "public"
      },
      {
        "after": "1 hour 25 minutes",
        "by": "diego.santos@globex.example",
        "say": "From 9,000 requests to 14, please greet your cousin from me. I can see last night's run on our side: no 429, no errors. Keep in mind that updated_since also returns customers that were archived (archived: true), so your sync can remove them. I raised nothing on your account, you don't need a higher limit any more.",
        "visibility": "public",
        "set": {
          "status": "resolved"
        }
      }
    ]
  },
  {
    "requester": "lucia.fernandez@solmarina.example",
    "service": "Sign-in and SSO",
    "team": "Customer Support",
    "assignee": null,
    "priority": "normal",
    "subject": "Password reset says \"link expired\" the moment I open it",
    "channel": "mail",
    "age": "3 days 2 hours 20 minutes",
    "body": "Hello, a new colleague at our hotel in Cádiz can't set her password. The link in the e-mail says \"This link has expired\" as soon as she opens it, even within one minute. We have tried it with three e-mails on two computers and her phone.\n\nHer user: ines.moreno@solmarina.example",
    "steps": [
      {
        "after": "1 day 3 hours",
        "by": "lucia.fernandez@solmarina.example",
        "say": "Hello again. Inés has now been working for two days with my user, which is not how it should be. Could somebody help us, please? I noticed that the link in the e-mail is cut after 76 characters and continues in the next line, perhaps that is important.",
        "visibility": "public"
      }
    ]
  },
  {
    "requester": "customer@globex.example",
    "service": "Payments and refunds",
    "team": "Customer Support",
    "assignee": null,
    "priority": "normal",
    "subject": "Refund not visible on the card statement after eight business days",
    "channel": "mail",
    "age": "2 days 4 hours 15 minutes",
    "body": "Hi, we refunded $148.20 to a customer eight business days ago (rf_20251-1, status \"Succeeded\" in the dashboard). She has sent me her card statement and it isn't there. What can I tell her?",
    "steps": [
      {
        "after": "1 hour 20 minutes",
        "by": "agent@globex.example",
        "say": "Hi Daniel, \"Succeeded\" means that the bank accepted the refund. If the original charge was still pending at that moment, some banks drop the charge instead of posting a refund, and it looks as if neither ever happened. I've requested the acquirer reference number (ARN) for rf_20251-1, the bank can trace the money with it.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "agent@globex.example"
        }
      },
      {
        "after": "5 hours 45 minutes",
        "by": "agent@globex.example",
        "say": "The ARN is 74537604 200251 00918273. Please pass it to your customer, her bank can find the refund with it. Could you also ask her two things: does the statement show the original charge of $148.20 at all, and are the last four digits of the card still 8820? We see that the card was replaced, in which case the money may sit on the old card's account.",
        "visibility": "public",
        "set": {
          "status": "pending"
        }
      }
    ]
  },
  {
    "requester": "customer@globex.example",
    "service": "Sign-in and SSO",
    "team": "Customer Support",
    "assignee": null,
    "priority": "high",
    "subject": "Endless redirect after switching on SSO for all users",
    "channel": "portal",
    "age": "2 days 3 hours 50 minutes",
    "body": "We tested SSO with three people for a week without problems. Yesterday I switched \"Require SSO for everyone\" on and now most of the team goes around in circles between our Microsoft login and app.globex.example until the browser stops with \"redirected you too many times\". The three testers can still sign in.",
    "steps": [
      {
        "after": "35 minutes",
        "by": "agent@globex.example",
        "say": "Hi Daniel, to take the pressure off: I switched \"Require SSO\" back to optional, so everybody can use their password for now. Could you tell me one user who loops and one who doesn't, so that I can compare their sign-ins?",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "agent@globex.example"
        }
      },
      {
        "after": "48 minutes",
        "by": "customer@globex.example",
        "say": "Loops: m.ortega@brightleaf.example. Works: me. By the way, the testers were all created by hand, everyone else came through the directory sync.",
        "visibility": "public"
      },
      {
        "after": "5 hours 30 minutes",
        "by": "agent@globex.example",
        "say": "Hand-made users have a lower-case e-mail, synced ones come with the UPN as NameID: \"M.Ortega@brightleaf.onmicrosoft.example\". No match, no session, back to the IdP, which is happily signed in and returns at once.",
        "visibility": "internal",
        "set": {
          "team": "Integrations",
          "assignee": "diego.santos@globex.example"
        }
      },
      {
        "after": "20 hours",
        "by": "diego.santos@globex.example",
        "say": "Hi Daniel, we found the difference: for synced users your directory sends the internal login name (…onmicrosoft.example) instead of the e-mail address, so we don't recognize them and send them back. Could you change the claim \"Name ID\" in the enterprise application to user.mail, for one user first? I've prepared our side to compare without regard to upper and lower case.",
        "visibility": "public"
      },
      {
        "after": "4 hours 10 minutes",
        "by": "customer@globex.example",
        "say": "Changed for Maria Ortega: she gets in now. But Ken Boyle doesn't have a mail attribute in the directory at all (warehouse staff, no mailbox). What do we do with those? It's about 20 people.",
        "visibility": "public"
      }
    ]
  },
  {
    "requester": "tunde.okafor@harborfinch.example",
    "service": "API and webhooks",
    "team": "Integrations",
    "assignee": null,
    "priority": "normal",
    "subject": "POST /v2/invoices returns 422 \"currency not enabled\" for CAD",
    "channel": "portal",
    "age": "1 day 2 hours 45 minutes",
    "body": "We got our first Canadian café! But creating an invoice in CAD through the API fails:\n\n    POST /v2/invoices\n    422 {\"code\":\"currency_not_enabled\",\"detail\":\"CAD is not enabled for account harborfinch\"}\n\nIn the dashboard CAD is switched on (Settings > Currencies, green tick) and I can create the invoice by hand.",
    "steps": [
      {
        "after": "1 hour 30 minutes",
        "by": "diego.santos@globex.example",
        "say": "Congratulations on crossing the border! Which API key does your integration use, the one that begins with gk_live_4f or gk_live_9b? Keys can be limited to currencies, and older keys were created with USD only.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "diego.santos@globex.example"
        }
      },
      {
        "after": "2 hours 20 minutes",
        "by": "tunde.okafor@harborfinch.example",
        "say": "gk_live_4f, the old one. Where do I see what it's limited to? I find nothing in the dashboard.",
        "visibility": "public"
      },
      {
        "after": "16 hours",
        "by": "diego.santos@globex.example",
        "say": "Dashboard doesn't show the currency scope of keys made before scopes existed, they got scope USD in the migration. No UI to change it either. I can change it with the admin tool, but the owner has to approve: it widens a live key. @Rebecca, OK with you?",
        "visibility": "internal"
      },
      {
        "after": "2 hours 10 minutes",
        "by": "admin@globex.example",
        "say": "OK for this one, with the owner's written consent in the ticket. Better: have them create a new key with the right scopes and retire 4f.",
        "visibility": "internal"
      }
    ]
  },
  {
    "requester": "tunde.okafor@harborfinch.example",
    "service": "Sign-in and SSO",
    "team": "Integrations",
    "assignee": null,
    "priority": "normal",
    "subject": "SAML certificate expires next week, need to replace it without downtime",
    "channel": "portal",
    "age": "20 hours 40 minutes",
    "body": "Okta warns that the signing certificate for the Globex app expires in seven days. Last year we swapped it and everybody was locked out for an hour. Is there a way to do it without that this time? We have a tasting event and people need the point of sale.",
    "steps": [
      {
        "after": "1 hour 15 minutes",
        "by": "diego.santos@globex.example",
        "say": "Hi Tunde, yes. Since this year you can store two certificates per identity provider: we accept both until you remove the old one. The order matters: first upload the new certificate at our side, then activate it in Okta, and delete the old one the day after.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "diego.santos@globex.example"
        }
      },
      {
        "after": "3 minutes",
        "by": "diego.santos@globex.example",
        "say": "Please download the new certificate in Okta (Sign On > SAML Signing Certificates > Actions > Download, don't press \"Activate\" yet) and send me the .cert file here, or upload it yourself under Settings > Sign-in > Identity provider > Add second certificate. When it shows up I'll check the fingerprint and give you the go for \"Activate\".",
        "visibility": "public",
        "set": {
          "status": "pending"
        }
      }
    ]
  },
  {
    "requester": "customer@globex.example",
    "service": "API and webhooks",
    "team": "Integrations",
    "assignee": null,
    "priority": "normal",
    "subject": "Webhook invoice.paid arrives twice for some invoices",
    "channel": "portal",
    "age": "9 hours 30 minutes",
    "body": "For roughly one in fifty invoices we receive invoice.paid twice, 20 to 40 seconds apart, with the same data. Our warehouse then prints two pick lists. Example: INV-20899, deliveries msg_3PqA and msg_3PqD.",
    "steps": [
      {
        "after": "30 minutes",
        "by": "diego.santos@globex.example",
        "say": "Hi Daniel, both deliveries carry the same webhook-id header? If so it's one event delivered again, because the first answer took longer than our 15 second limit. If the ids differ, they are two events and I'd have to look deeper.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "diego.santos@globex.example"
        }
      },
      {
        "after": "1 hour 45 minutes",
        "by": "customer@globex.example",
        "say": "Same webhook-id (evt_61c0) on both. Our endpoint prints the pick list before it answers, which can take 20 seconds when the printer is busy. So it's us?",
        "visibility": "public"
      },
      {
        "after": "50 minutes",
        "by": "diego.santos@globex.example",
        "say": "Partly. Delivery is \"at least once\": please answer 2xx first and print afterwards, and ignore a webhook-id you have already seen. But our log shows something on our side as well: the second attempt should wait five minutes after a timeout, and with you it came after 20 seconds. I'm looking into why, and leave this open until I know.",
        "visibility": "public"
      }
    ]
  },
  {
    "requester": "tunde.okafor@harborfinch.example",
    "service": "Taxes and compliance",
    "team": "Customer Support",
    "assignee": null,
    "priority": "high",
    "subject": "Invoices still use the old New Jersey tax rate",
    "channel": "portal",
    "age": "7 hours 15 minutes",
    "body": "Hello,\n\nwe opened a second warehouse in New Jersey and changed the tax rate for the NJ region from 6.875% to 6.625% two days ago. The subscription invoices that went out last night still carry 6.875%. Total on INV-20871 is $1,068.75, should be $1,066.25.\n\n28 invoices, all from the \"Monthly beans\" template. The ones I write by hand are correct.",
    "steps": [
      {
        "after": "17 minutes",
        "by": "agent@globex.example",
        "say": "Hi Tunde, I see it. Hand-written right and recurring wrong usually means that the template holds on to an older rate. Did you see a question \"Refresh existing templates?\" when you saved the new rate?",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "agent@globex.example"
        }
      },
      {
        "after": "41 minutes",
        "by": "tunde.okafor@harborfinch.example",
        "say": "I did, and I clicked Yes. It even said \"3 templates updated\". We have four, though. \"Monthly beans\" is the oldest of them, from before we migrated to you.",
        "visibility": "public"
      },
      {
        "after": "36 minutes",
        "by": "agent@globex.example",
        "say": "@Hannah the refresh skips templates imported by the migration tool: they have region_id null and text \"NJ\" in legacy_region. Same effect as Brightleaf last week, different reason. 28 invoices to credit once it's fixed.",
        "visibility": "internal",
        "set": {
          "team": "Billing Operations",
          "assignee": "hannah.cho@globex.example"
        }
      },
      {
        "after": "2 hours 5 minutes",
        "by": "hannah.cho@globex.example",
        "say": "Hi Tunde, taking over from Aisha. \"Monthly beans\" was imported and isn't linked to the New Jersey region, so the refresh passed it by. I've linked it now, so the next run will be right. I'm preparing credit notes for the 28 invoices and will send you the list for approval before anything goes to your customers.",
        "visibility": "public"
      }
    ]
  },
  {
    "requester": "tunde.okafor@harborfinch.example",
    "service": "API and webhooks",
    "team": "Integrations",
    "assignee": "diego.santos@globex.example",
    "priority": "normal",
    "subject": "Webhook signature check fails since SDK 4.1.0",
    "channel": "portal",
    "age": "4 hours 10 minutes",
    "body": "After upgrading the Globex SDK for Node from 4.0.6 to 4.1.0, every webhook is rejected on our side:\n\n    WebhookVerificationError: no matching signature found\n        at verify (node_modules/@globex/sdk/dist/webhooks.js:57:11)\n        at handler (/app/src/hooks.ts:23:19)\n\nGoing back to 4.0.6 makes it work. The secret hasn't changed. We use Express with express.json() in front of the handler.",
    "steps": [
      {
        "after": "22 minutes",
        "by": "tunde.okafor@harborfinch.example",
        "say": "More details from my cousin: 4.0.6 accepted the parsed body and serialized it again by itself, 4.1.0 wants a Buffer or string. With express.raw() on that route the check passes, but then other middleware complains. Is that the intended way? The changelog doesn't mention it.",
        "visibility": "public"
      }
    ]
  },
  {
    "requester": "tunde.okafor@harborfinch.example",
    "service": "Payments and refunds",
    "team": "Customer Support",
    "assignee": null,
    "priority": "urgent",
    "subject": "Cards charged twice on subscription renewal, 12 customers affected",
    "channel": "portal",
    "age": "3 hours 5 minutes",
    "body": "Our phones are ringing: at least 12 subscribers of the \"Roaster's choice\" plan were charged twice in last night's renewal. $32.00 each, two charges on the card, and this time BOTH show up as payments in the dashboard, on two different invoices (e.g. INV-20931 and INV-20944 for customer 4102).\n\nPlease stop the run if it's still going!",
    "steps": [
      {
        "after": "6 minutes",
        "by": "agent@globex.example",
        "say": "Hi Tunde, the renewal run for your account is paused as of now, nothing further will be charged. I'm pulling the list of all subscribers with two invoices for the same period.",
        "visibility": "public",
        "set": {
          "status": "open",
          "assignee": "agent@globex.example"
        }
      },
      {
        "after": "14 minutes",
        "by": "agent@globex.example",
        "say": "It's 31 customers, not 12. Two renewal workers picked up the same batch: the lease on batch rb_5512 expired after 15 minutes while the first worker was still busy with slow card responses. Not the idempotency problem from last time, here the invoices themselves are doubled.",
        "visibility": "internal",
        "set": {
          "team": "Billing Operations",
          "assignee": "hannah.cho@globex.example"
        }
      },
      {
        "after": "47 minutes",
        "by": "hannah.cho@globex.example",
        "say": "Hi Tunde, Hannah from Billing Operations. We have the full list: 31 subscribers, 31 surplus invoices, $992.00 in total. I'm voiding the second invoice of each pair and refunding the second charge; you'll get a file with names and refund references within the hour so your team can answer the calls.",
        "visibility": "public"
      },
      {
        "after": "33 minutes",
        "by": "tunde.okafor@harborfinch.example",
        "say": "Thank you, that's quick. My team has opened 31 bags of coffee less stressfully before, but we'll manage. Please send the file to me and to orders@harborfinch.example.",
        "visibility": "public"
      }
    ]
  },
  {
    "requester": "lucia.fernandez@solmarina.example",
    "service": "Reports and exports",
    "team": "Customer Support",
    "assignee": null,
    "priority": "normal",
    "subject": "Exported CSV shows broken accents in Spanish customer names",
    "channel": "portal",
    "age": "1 hour 35 minutes",
    "body": "Hola, buenos días:\n\nAl exportar la lista de huéspedes a CSV y abrirla en Excel, los acentos y las eñes salen mal: \"Núñez\" aparece como \"NÃºÃ±ez\" y \"Peñíscola\" como \"PeÃ±Ã­scola\". En la pantalla de Globex se ven bien. La semana pasada exportamos la misma lista sin problemas.",
    "steps": [
      {
        "after": "12 minutes",
        "by": "lucia.fernandez@solmarina.example",
        "say": "I add in English in case it helps: same export profile, same Excel. The only change I know of is that the export was moved to the new \"Exports 2\" page. The file for the Friday CRM import is still fine.",
        "visibility": "public"
      }
    ]
  },
  {
    "requester": "customer@globex.example",
    "service": "Invoicing",
    "team": "Billing Operations",
    "assignee": null,
    "priority": "normal",
    "subject": "Tax total on INV-20902 doesn't match the sum of its lines",
    "channel": "portal",
    "age": "42 minutes",
    "body": "INV-20902 has five lines. The tax on the lines adds up to $31.18, the tax total at the bottom says $34.66. The grand total uses the larger number. Not a rounding thing, it's $3.48.\n\nLine 4 is a gift card, which is not taxable. My suspicion: the bottom counts it, the line doesn't (8% of $43.50 is $3.48).",
    "steps": [
      {
        "after": "8 minutes",
        "by": "customer@globex.example",
        "say": "Checked two more invoices with gift cards, INV-20877 and INV-20895. Same pattern, so it is the gift card.",
        "visibility": "public"
      }
    ]
  },
  {
    "requester": "customer@globex.example",
    "service": "Payments and refunds",
    "team": "Customer Support",
    "assignee": null,
    "priority": "high",
    "subject": "Duplicate ACH debit for INV-20913",
    "channel": "portal",
    "age": "25 minutes",
    "body": "One of our produce customers has been debited twice by ACH for INV-20913, $1,204.00 each. The bank shows trace numbers 091000019442871 and 091000019442902. In the dashboard there is only one payment, \"Processing\".\n\nThey had no overdraft fees yet, but payroll is tomorrow. Please reverse one of them as soon as you can.",
    "steps": [
      {
        "after": "7 minutes",
        "by": "customer@globex.example",
        "say": "If it matters: they changed their bank account in the portal shortly before paying, and the first attempt said \"Verification pending\". Perhaps that one went through after all.",
        "visibility": "public"
      }
    ]
  }
]
$story$::jsonb);
