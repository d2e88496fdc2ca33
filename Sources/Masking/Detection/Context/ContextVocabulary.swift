extension ContextWords {
    /// Words by what they announce, small letters, joined where there are two or three; plural "s" is taken off by itself.
    static let vocabulary: [(Context, String)] = [
        (
            Context(.creditCard),
            """
            card cc ccn pan creditcard debitcard cardnumber cardno cardnum ccnumber ccnum paymentcard primaryaccount
            primaryaccountnumber visa mastercard maestro amex americanexpress discover diners jcb unionpay cvv
            kreditkarte kreditkartennummer kartennummer karte karten carte cartebancaire cartebleue numerocarte tarjeta
            numerotarjeta cartao cartão carta cartadicredito numerocarta creditcardnumber kaart kaartnummer karta kort
            kortnummer
            """
        ),
        (
            Context(.usSocialSecurity),
            "ssn socialsecurity socialsecuritynumber socialsec socialsecno ssnumber ssnum ssno ssntin socsec ss taxid tin"
        ),
        (Context(.usTaxpayer), "itin taxid taxpayer taxpayerid taxidentification tin"),
        (Context(.iban), "iban bankaccount kontonummer accountnumber"),
        (
            Context(.usRoutingNumber),
            """
            aba abanumber abacode abartn rtn routing routingnumber routingno routingcode routingtransit bankrouting transit \
            transitnumber wire fedwire ach achrouting
            """
        ),
        (
            Context(.usProviderIdentifier),
            """
            npi npinumber npino provider providerid providernumber provideridentifier nationalprovider prescriber physician doctor \
            clinician practitioner rendering referring attending ordering dispenser healthcareprovider hcp
            """
        ),
        (Context(.usMedicareIdentifier), "mbi medicare beneficiary medicareid medicarenumber"),
        (
            Context(.usDrugRegistration),
            """
            dea deanumber deano deareg dearegistration drugenforcement prescription prescribing prescriber controlledsubstance
            """
        ),
        (Context(.ukHealthService), "nhs nhsnumber nhsno nhsid healthservice nationalhealth"),
        (
            Context(.ukNationalInsurance),
            "nino nationalinsurance nationalinsurancenumber insurancenumber ninumber nino"
        ),
        (
            Context(.canadaSocialInsurance),
            "sin sinnumber sinno socialinsurance socialinsurancenumber socialins assurancesociale numérodassurancesociale nas"
        ),
        (Context(.indiaAadhaar), "aadhaar aadhar adhaar uidai aadhaarnumber aadhaarno"),
        (Context(.indiaAccount), "pan pancard pannumber panno incometax permanentaccount"),
        (Context(.polandPesel), "pesel numerpesel"),
        (Context(.spainTax), "nif nie dni documentonacional cif numerodni taxid vat"),
        (Context(.italyFiscalCode), "codicefiscale fiscale cf fiscalcode taxcode codfisc taxid"),
        (
            Context(.germanyTax),
            "steuerid steueridnr idnr steuernummer steueridentifikationsnummer steuerliche taxid tin taxnumber"
        ),
        (Context(.singaporeIdentity), "nric fin nricfin nricno"),
        (Context(.brazilPerson), "cpf cadastropessoa taxid"),
        (Context(.brazilCompany), "cnpj cadastronacional taxid"),
        (Context(.chinaResident), "residentid sfz shenfenzheng idcard 身份证 身份证号 身份证号码"),
        (
            Context(.netherlandsCitizen),
            """
            bsn bsnnummer bsnnr burgerservicenummer burgerservicenr burgerservice burgernummer citizenservice \
            citizenservicenumber persoonsnummer sofinummer sofinr sofi servicenummer dutchid identificatienummer
            """
        ),
        (Context(.franceRegistration), "nir securitesociale sécuritésociale numerosecu secu insee"),
        (Context(.email), "email mail emailaddress"),
        (
            Context(.phone),
            """
            phone telephone tel tele fon mobile cell cellphone cellular phonenumber phoneno mobilenumber mobileno mobil fax
            msisdn call dial whatsapp sms texted handy handynummer rufen zurückrufen appeler chiamare chiamami ligar telefon telefonnummer rufnummer anrufen mobilnummer
            mobiltelefon téléphone portable appelez tél telefono teléfono móvil movil llamar celular telefone telemovel
            telemóvel cellulare telefoonnummer telefoon mobiel bellen telefonu komórka komorka zadzwoń homephone workphone
            mobilephone contactnumber contactno phonework phonehome callback reach hotline landline voicemail 电话 手机
            电话号码 手机号 電話 電話番号 携帯
            """
        ),
        (Context(.ipv4), "ip ipaddress ipaddr ipv4 host clientip remoteaddr"),
        (Context(.ipv6), "ip ipaddress ipaddr ipv6 host clientip remoteaddr"),
        (Context(.mac), "mac macaddress hwaddr ethernet bssid"),
        (Context(.bitcoin), "btc bitcoin wallet"),
        (
            Context(.dateOfBirth),
            """
            dob birth birthdate birthday dateofbirth birthdt bday born bdate borndate doblabel geburtsdatum geburtstag geboren geb
            naissance datedenaissance née né nacimiento fechanacimiento fechadenacimiento nacido nacida fnac fechanac nascimento
            datanascimento nascido nascita datanascita datadinascita nato nata geboortedatum geboorte geboren urodzenia
            urodzony urodzona dataurodzenia fødselsdato födelsedatum syntymäaika 出生日期 生年月日
            """
        ),
        (
            Context(.secret),
            """
            password passwd pwd pass passphrase passcode secret token apikey accesskey privatekey secretkey secretaccesskey
            clientsecret credential auth authorization bearer signingkey encryptionkey sessionkey authtoken accesstoken
            refreshtoken apitoken secreta secreto segreta segreto geheim geheimnis secrète dbpassword apisecret sharedkey masterkey kennwort passwort contraseña contrasena clave motdepasse
            senha wachtwoord hasło haslo parola webhooksecret sessionid sessiontoken cookie xapikey accountkey
            """
        ),
        (
            .otherNumber,
            """
            order orderid orderno ordernumber orders bestellung bestellnummer commande pedido ordine tracking trackingid
            trackingnumber trace traceid span spanid request requestid correlation correlationid uuid guid hash sha sha1
            sha256 md5 checksum etag commit revision build sku ean upc isbn gtin imei barcode serial serialnumber product
            productid article artikelnummer itemid invoice invoiceno invoicenumber rechnung rechnungsnummer facture
            factura fattura shipment parcel ticket ticketid sequence seq batch batchid eventid 
            messageid partnumber job jobid runid pid rowid caseid casenumber errorcode
            """
        ),
        (
            .anyNumber,
            """
            ref reference txid transactionid transaction transactionno amount total price balance latitude longitude lat
            lon lng
            """
        ),
        (
            .time,
            """
            time timestamp ts epoch ms millis milliseconds seconds micros nanos unixtime created createdat updated
            updatedat modified modifiedat date datetime expires expiresat expiry iat exp nbf elapsed duration uptime
            zeit zeitstempel datum
            """
        ),
        (.version, "version ver v release firmware build semver"),
    ]
}
